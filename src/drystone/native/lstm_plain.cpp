// The recurrence for any processor, in vectors of 16 bytes (SSE2, NEON).

#include "lstm_steps.inl.hpp"

namespace drystone {

#if defined(__aarch64__)
constexpr int max_rows = 6;  // of 32 registers
#else
constexpr int max_rows = 2;  // of 16, and products need one of their own
#endif

const BothSteps plain_steps{LstmSteps<Simd<float, 16>, max_rows>::steps, LstmSteps<Simd<double, 16>, max_rows>::steps};

}  // namespace drystone
