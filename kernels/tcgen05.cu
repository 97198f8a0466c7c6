// work    2 * 128 * 256 * K * UNROLL per block and trip; one thread issues
// shape   none: operands stay in shared memory, sums in tensor memory
// launch  THREADS a block, one block a multiprocessor
// needs   sm_100a
// 128 rows of A by 256 rows of B, K-major, 128 bytes a row, swizzled; the next step of K is 32 bytes on.
// elect.sync tells the assembler that one thread issues; a test of threadIdx would put a loop round each instruction.
// Every sum is stored: row by row, 256 columns.

typedef unsigned long long u64;

// start >> 4, rows of eight 1024 bytes apart, version 1, 128-byte swizzle; the leading offset is not used.
static __device__ __forceinline__ u64 descriptor(unsigned address) {
  return (u64)((address & 0x3ffff) >> 4) | 1ull << 16 | (u64)(1024 >> 4) << 32 | 1ull << 46 | 2ull << 61;
}

#ifdef SCALE
#define COLUMNS "512"
#define SCALES ", [%5], [%6]"
#else
#define COLUMNS "256"
#define SCALES ""
#endif

extern __shared__ unsigned char memory[];

extern "C" __global__ void __launch_bounds__(THREADS, 1)
tcgen05(WORD* __restrict__ accumulators, const uint4* __restrict__ operands, unsigned iterations) {
  __shared__ unsigned tensor_memory;
  __shared__ __align__(8) u64 barrier;
  const unsigned base = ((unsigned)__cvta_generic_to_shared(memory) + 1023) & ~1023u;
  const unsigned slot = (unsigned)__cvta_generic_to_shared(&tensor_memory);
  const unsigned done = (unsigned)__cvta_generic_to_shared(&barrier);
  const unsigned warp = __shfl_sync(0xffffffffu, threadIdx.x / 32, 0);

  for (unsigned i = threadIdx.x; i < (128 + 256) * 8; i += THREADS) {
    const uint4 v = operands[i];
    asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(base + i * 16), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w) : "memory");
  }
  if (warp == 0) {
    asm volatile("tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%0], " COLUMNS ";" ::"r"(slot) : "memory");
    asm volatile("tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;");
  }
  if (threadIdx.x == 0) asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(done) : "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  asm volatile("tcgen05.fence::before_thread_sync;" ::: "memory");
  __syncthreads();
  asm volatile("tcgen05.fence::after_thread_sync;" ::: "memory");
  const unsigned sums = tensor_memory;
  const unsigned rows = sums + (warp << 21);

#ifdef SCALE
  // Every scale is one, so that their places do not matter: 64 columns are more than A's and B's need.
  for (unsigned i = 256; i < 320; ++i)
    asm volatile("tcgen05.st.sync.aligned.32x32b.x1.b32 [%0], {%1};" ::"r"(rows + i), "r"(SCALE) : "memory");
  asm volatile("tcgen05.wait::st.sync.aligned;" ::: "memory");
  asm volatile("tcgen05.fence::before_thread_sync;" ::: "memory");
  __syncthreads();
  asm volatile("tcgen05.fence::after_thread_sync;" ::: "memory");
#endif

  const u64 a = descriptor(base), b = descriptor(base + 128 * 128);
  if (warp == 0) {
    unsigned elected;
    asm volatile("{.reg .pred p; elect.sync _|p, 0xffffffff; selp.b32 %0, 1, 0, p;}" : "=r"(elected));
    if (elected) {
      for (unsigned left = iterations; left > 0;) {
        const unsigned trips = left < RESET ? left : RESET;
        left -= trips;
#pragma unroll 1
        for (unsigned trip = 0; trip < trips; ++trip) {
#pragma unroll
          for (unsigned step = 0; step < UNROLL; ++step)
            // The first instruction after a reset overwrites the sums, all others add to them.
            asm volatile("{.reg .pred p; setp.ne.b32 p, %4, 0; tcgen05.mma.cta_group::1." KIND " [%0], %1, %2, %3" SCALES ", p;}"
                         ::"r"(sums), "l"(a + step % STEPS * 2), "l"(b + step % STEPS * 2), "r"(DESCRIPTOR), "r"(trip | step)
#ifdef SCALE
                         , "r"(sums + 256), "r"(sums + 288)
#endif
                         : "memory");
        }
      }
      asm volatile("tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [%0];" ::"r"(done) : "memory");
    }
  }
  asm volatile("{.reg .pred q; AGAIN: mbarrier.try_wait.parity.shared::cta.b64 q, [%0], 0; @!q bra AGAIN;}" ::"r"(done) : "memory");
  asm volatile("tcgen05.fence::after_thread_sync;" ::: "memory");

  WORD* const row = accumulators + ((u64)blockIdx.x * THREADS + threadIdx.x) * 256;
#pragma unroll 1
  for (unsigned column = 0; column < 256; column += 8) {
    WORD v[8];
    asm volatile("tcgen05.ld.sync.aligned.32x32b.x8.b32 {%0, %1, %2, %3, %4, %5, %6, %7}, [%8];"
                 : "=" CONSTRAINT(v[0]), "=" CONSTRAINT(v[1]), "=" CONSTRAINT(v[2]), "=" CONSTRAINT(v[3]),
                   "=" CONSTRAINT(v[4]), "=" CONSTRAINT(v[5]), "=" CONSTRAINT(v[6]), "=" CONSTRAINT(v[7])
                 : "r"(rows + column));
    asm volatile("tcgen05.wait::ld.sync.aligned;" ::: "memory");
#pragma unroll
    for (unsigned i = 0; i < 8; ++i) row[column + i] = v[i];
  }
  asm volatile("tcgen05.fence::before_thread_sync;" ::: "memory");
  __syncthreads();
  if (warp == 0) asm volatile("tcgen05.dealloc.cta_group::1.sync.aligned.b32 %0, " COLUMNS ";" ::"r"(sums));
}
