// work    2 * m * n * k
// shape   any; A [m, k], or [k, m] with A_TRANSPOSED; B [k, n]; C [m, n]; rows padded to 128 bytes
// launch  one block a tile: WARPS_M warpgroups multiply, one more feeds
// needs   sm_90a
// One thread of the last warpgroup asks the tensor memory accelerator for tiles, STAGES ahead; each of the others
// multiplies its 64 rows of A by all of B, straight from shared memory, and gives a stage back when it has been read.
// Boxes are 128 bytes wide and swizzled; beyond the matrices they are zero.

typedef unsigned long long u64;

struct __align__(64) TensorMap {
  char opaque[128];
};

#define LEFT_BYTES (BLOCK_M * BLOCK_K * 2)
#define RIGHT_BYTES (BLOCK_K * BLOCK_N * 2)
#define STAGE_BYTES (LEFT_BYTES + RIGHT_BYTES)
#define BOX_BYTES (BLOCK_K * 128)   // 64 columns of B, or of A transposed
#define STEPS (BLOCK_K / STEP_K)

#define SUM(i) "+" CONSTRAINT(d[i])
#define SUMS4(i) SUM(i), SUM(i + 1), SUM(i + 2), SUM(i + 3)
#define SUMS16(i) SUMS4(i), SUMS4(i + 4), SUMS4(i + 8), SUMS4(i + 12)
#define SUMS64(i) SUMS16(i), SUMS16(i + 16), SUMS16(i + 32), SUMS16(i + 48)

extern __shared__ unsigned char memory[];

// start >> 4, leading offset, rows of eight 1024 bytes apart, 128-byte swizzle.
static __device__ __forceinline__ u64 descriptor(unsigned address, unsigned leading) {
  return (u64)((address & 0x3ffff) >> 4) | (u64)(leading >> 4) << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62;
}

static __device__ __forceinline__ void wait(unsigned barrier, unsigned parity) {
  asm volatile("{.reg .pred p; AGAIN: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1; @!p bra AGAIN;}"
               ::"r"(barrier), "r"(parity) : "memory");
}

static __device__ __forceinline__ void arrive(unsigned barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

static __device__ __forceinline__ void load(unsigned to, const TensorMap* map, unsigned column, unsigned row, unsigned barrier) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];"
               ::"r"(to), "l"((u64)map), "r"(column), "r"(row), "r"(barrier) : "memory");
}

extern "C" __global__ void __launch_bounds__(THREADS, 1)
gemm_wgmma(const __grid_constant__ TensorMap map_a, const __grid_constant__ TensorMap map_b, WORD* __restrict__ c,
           unsigned m, unsigned n, unsigned k, unsigned leading_c) {
  __shared__ __align__(8) u64 barriers[2 * STAGES];
  const unsigned base = ((unsigned)__cvta_generic_to_shared(memory) + 1023) & ~1023u;
  const unsigned full = (unsigned)__cvta_generic_to_shared(barriers), empty = full + STAGES * 8;
  const unsigned group = __shfl_sync(0xffffffffu, threadIdx.x / 128, 0);
  const unsigned tiles_m = (m + BLOCK_M - 1) / BLOCK_M, tiles_n = (n + BLOCK_N - 1) / BLOCK_N;
  const unsigned band = blockIdx.x / (8 * tiles_n), in_band = blockIdx.x % (8 * tiles_n);
  const unsigned height = tiles_m - band * 8 < 8 ? tiles_m - band * 8 : 8;
  const unsigned first_m = (band * 8 + in_band % height) * BLOCK_M, first_n = in_band / height * BLOCK_N;
  const unsigned tiles = (k + BLOCK_K - 1) / BLOCK_K;

  if (threadIdx.x == 0) {
    for (unsigned i = 0; i < STAGES; ++i) {
      asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(full + i * 8) : "memory");
      asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(empty + i * 8), "r"(WARPS_M) : "memory");
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();

  if (group == WARPS_M) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x == WARPS_M * 128) {
#pragma unroll 1
      for (unsigned tile = 0; tile < tiles; ++tile) {
        const unsigned stage = tile % STAGES, turn = tile / STAGES;
        const unsigned left = base + stage * STAGE_BYTES, right = left + LEFT_BYTES, barrier = full + stage * 8;
        wait(empty + stage * 8, (turn & 1) ^ 1);
        asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(STAGE_BYTES) : "memory");
#if A_TRANSPOSED
#pragma unroll
        for (unsigned i = 0; i < BLOCK_M / 64; ++i)
          load(left + i * BOX_BYTES, &map_a, first_m + i * 64, tile * BLOCK_K, barrier);
#else
        load(left, &map_a, tile * BLOCK_K, first_m, barrier);
#endif
#pragma unroll
        for (unsigned i = 0; i < BLOCK_N / 64; ++i)
          load(right + i * BOX_BYTES, &map_b, first_n + i * 64, tile * BLOCK_K, barrier);
      }
    }
    return;
  }

  asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
  WORD d[128];
#pragma unroll
  for (unsigned i = 0; i < 128; ++i) d[i] = 0;
#pragma unroll 1
  for (unsigned tile = 0; tile < tiles; ++tile) {
    const unsigned stage = tile % STAGES;
    wait(full + stage * 8, tile / STAGES & 1);
    // 64 rows along K are 8 KiB in both layouts of A. Across K the leading offset is that of the next 64 columns.
    const u64 a = descriptor(base + stage * STAGE_BYTES + group * 8192, 16);
    const u64 b = descriptor(base + stage * STAGE_BYTES + LEFT_BYTES, BOX_BYTES);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
    for (unsigned step = 0; step < STEPS; ++step) {
      // The next 16 of K are 32 bytes on in a row along K, 16 rows on across it.
#if A_TRANSPOSED
      const u64 next_a = a + step * (16 * 128 >> 4);
#else
      const u64 next_a = a + step * (32 >> 4);
#endif
      asm volatile(INSTRUCTION : SUMS64(0), SUMS64(64) : "l"(next_a), "l"(b + step * (16 * 128 >> 4)));
    }
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    // What read the stage before has ended when only the newest group is still in flight.
    asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
    if (tile > 0 && threadIdx.x % 128 == 0) arrive(empty + (tile - 1) % STAGES * 8);
  }
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");

  const unsigned row = first_m + threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4, column = first_n + threadIdx.x % 4 * 2;
#pragma unroll
  for (unsigned i = 0; i < 128; ++i) {
    const unsigned to_row = row + i / 2 % 2 * 8, to_column = column + i / 4 * 8 + i % 2;
    if (to_row < m && to_column < n) c[(u64)to_row * leading_c + to_column] = d[i];
  }
}
