// work    none; 16 bytes read and 16 written per thread and step
// shape   quads of 32-bit words, any number
// launch  THREADS a block, as many blocks as fill the device
// needs   sm_75
// UNROLL loads are under way in each thread before the first store waits for its own.

extern "C" __global__ void __launch_bounds__(THREADS)
copy(uint4* __restrict__ to, const uint4* __restrict__ from, unsigned long long quads) {
  const unsigned long long all = (unsigned long long)gridDim.x * THREADS;
  unsigned long long at = (unsigned long long)blockIdx.x * THREADS + threadIdx.x;
  for (; at + (UNROLL - 1) * all < quads; at += UNROLL * all) {
    uint4 v[UNROLL];
#pragma unroll
    for (unsigned i = 0; i < UNROLL; ++i) v[i] = from[at + i * all];
#pragma unroll
    for (unsigned i = 0; i < UNROLL; ++i) to[at + i * all] = v[i];
  }
#pragma unroll 1
  for (; at < quads; at += all) to[at] = from[at];
}
