// work    2 * LANES * CHAINS * UNROLL per thread and trip
// shape   none: register-resident
// launch  THREADS a block, one wave
// needs   sm_75
// Eight chains a thread and several warps a scheduler hide the latency of one multiply-add.
// Every chain is stored, so that none is dead and the host can replay each; asm volatile keeps every step.

extern "C" __global__ void __launch_bounds__(THREADS)
fma_chains(WORD* __restrict__ accumulators, const WORD* __restrict__ operands, unsigned iterations) {
  const WORD factor = operands[0], term = operands[1];
  WORD chain[CHAINS];
#pragma unroll
  for (unsigned i = 0; i < CHAINS; ++i) chain[i] = operands[2 + (threadIdx.x + i) % STARTS];
#pragma unroll 1
  for (unsigned trip = 0; trip < iterations; ++trip) {
#pragma unroll
    for (unsigned step = 0; step < UNROLL; ++step) {
#pragma unroll
      for (unsigned i = 0; i < CHAINS; ++i)
        asm volatile(INSTRUCTION : "+" CONSTRAINT(chain[i]) : CONSTRAINT(factor), CONSTRAINT(term));
    }
  }
  const unsigned long long thread = (unsigned long long)blockIdx.x * THREADS + threadIdx.x;
#pragma unroll
  for (unsigned i = 0; i < CHAINS; ++i) accumulators[thread * CHAINS + i] = chain[i];
}
