// work    2 * 64 * 256 * K * UNROLL per warpgroup and trip
// shape   none: operands stay in shared memory, sums in registers
// launch  THREADS a block (GROUPS warpgroups), one block a multiprocessor
// needs   sm_90a
// Each warpgroup multiplies its own 64 rows of A by the same 256 rows of B, K-major, 128 bytes a row, swizzled.
// The next step of K is 32 bytes on; of the STEPS steps every second one takes back most of what the first added.
// One group of instructions stays in flight while the next is issued, so the pipe never drains.

typedef unsigned long long u64;

// start >> 4, rows of eight 1024 bytes apart, 128-byte swizzle; the leading offset is not used by this layout.
static __device__ __forceinline__ u64 descriptor(unsigned address) {
  return (u64)((address & 0x3ffff) >> 4) | 1ull << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62;
}

#define SUM(i) "+" CONSTRAINT(d[i])
#define SUMS4(i) SUM(i), SUM(i + 1), SUM(i + 2), SUM(i + 3)
#define SUMS16(i) SUMS4(i), SUMS4(i + 4), SUMS4(i + 8), SUMS4(i + 12)
#define SUMS64(i) SUMS16(i), SUMS16(i + 16), SUMS16(i + 32), SUMS16(i + 48)

extern __shared__ unsigned char memory[];

extern "C" __global__ void __launch_bounds__(THREADS, 1)
wgmma(WORD* __restrict__ accumulators, const uint4* __restrict__ operands, unsigned iterations) {
  const unsigned base = ((unsigned)__cvta_generic_to_shared(memory) + 1023) & ~1023u;
  for (unsigned i = threadIdx.x; i < (64 * GROUPS + 256) * 8; i += THREADS) {
    const uint4 v = operands[i];
    asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(base + i * 16), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w) : "memory");
  }
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();

  // The same in all lanes of a warp, which the compiler must see to keep descriptors in uniform registers.
  const unsigned group = __shfl_sync(0xffffffffu, threadIdx.x / 128, 0);
  const u64 a = descriptor(base + group * 64 * 128), b = descriptor(base + GROUPS * 64 * 128);
  WORD d[128];
#pragma unroll
  for (unsigned i = 0; i < 128; ++i) d[i] = 0;

  for (unsigned left = iterations; left > 0;) {
    const unsigned trips = left < RESET ? left : RESET;
    left -= trips;
    // The sums are operands here, or the compiler may set them between the fence and the first instruction.
    asm volatile("wgmma.fence.sync.aligned;" : SUMS64(0), SUMS64(64) :: "memory");
#pragma unroll 1
    for (unsigned trip = 0; trip < trips; ++trip) {
#pragma unroll
      for (unsigned step = 0; step < UNROLL; ++step)
        asm volatile(INSTRUCTION : SUMS64(0), SUMS64(64) : "l"(a + step % STEPS * 2), "l"(b + step % STEPS * 2));
      asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
      asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
    }
    asm volatile("wgmma.wait_group.sync.aligned 0;" : SUMS64(0), SUMS64(64) :: "memory");
    if (left > 0) {
#pragma unroll
      for (unsigned i = 0; i < 128; ++i) d[i] = 0;
    }
  }

  const u64 thread = (u64)blockIdx.x * THREADS + threadIdx.x;
#pragma unroll
  for (unsigned i = 0; i < 128; ++i) accumulators[thread * 128 + i] = d[i];
}
