// The recurrence for processors with AVX2 and FMA; compiled with flags of its own (CMakeLists.txt).

#if defined(__x86_64__)

#include "lstm_steps.inl.hpp"

namespace drystone {

// 3 × 4 accumulators, 3 factors and a weight: all 16 registers.
const BothSteps avx2_steps{LstmSteps<Simd<float, 32>, 3>::steps, LstmSteps<Simd<double, 32>, 3>::steps};

}  // namespace drystone

#endif
