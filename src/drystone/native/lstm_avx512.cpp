// The recurrence for processors with AVX-512; compiled with flags of its own (CMakeLists.txt).

#if defined(__x86_64__)

#include "lstm_steps.inl.hpp"

namespace drystone {

// 6 × 4 accumulators, 6 factors and a weight: 31 of 32 registers.
const BothSteps avx512_steps{LstmSteps<Simd<float, 64>, 6>::steps, LstmSteps<Simd<double, 64>, 6>::steps};

}  // namespace drystone

#endif
