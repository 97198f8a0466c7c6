// work    2 * m * n * k
// shape   any; A [m, k], or [k, m] with A_TRANSPOSED; B [k, n]; C [m, n]; rows padded to 128 bytes
// launch  one block a tile, WARPS_M x WARPS_N warps
// needs   sm_75
// 8 x 8 sums a thread: 64 multiply-adds for 16 loads from shared memory. The next tile is on its way in registers
// while this one is multiplied. What lies beyond the matrices reads as zero; padding is never used.

typedef unsigned long long u64;

struct __align__(16) Quad {
  WORD x, y, z, w;
};

static __device__ __forceinline__ float multiply_add(float a, float b, float c) { return __fmaf_rn(a, b, c); }
static __device__ __forceinline__ double multiply_add(double a, double b, double c) { return __fma_rn(a, b, c); }

// Tile of a matrix whose rows run along K's other extent: BLOCK_K x 128, four elements a thread.
static __device__ __forceinline__ Quad fetch_rows(const WORD* from, unsigned leading, unsigned rows, unsigned columns,
                                                  unsigned row, unsigned column) {
  if (row >= rows || column >= columns) return Quad{0, 0, 0, 0};
  return *(const Quad*)(from + (u64)row * leading + column);
}

// The same of a matrix whose rows run along K: elements past the last K are zero, as padding may hold anything.
static __device__ __forceinline__ Quad fetch_masked(const WORD* from, unsigned leading, unsigned rows, unsigned columns,
                                                    unsigned row, unsigned column) {
  Quad v = fetch_rows(from, leading, rows, columns, row, column);
  if (column + 1 >= columns) v.y = 0;
  if (column + 2 >= columns) v.z = 0;
  if (column + 3 >= columns) v.w = 0;
  return v;
}

extern "C" __global__ void __launch_bounds__(THREADS)
gemm_simt(WORD* __restrict__ c, const WORD* __restrict__ a, const WORD* __restrict__ b, unsigned m, unsigned n, unsigned k,
          unsigned leading_a, unsigned leading_b, unsigned leading_c) {
  // Rows of A's tile are four words longer, so that storing a column of it meets fewer banks twice.
  __shared__ __align__(16) WORD left[2][BLOCK_K][BLOCK_M + 4];
  __shared__ __align__(16) WORD right[2][BLOCK_K][BLOCK_N];
  const unsigned tiles_n = (n + BLOCK_N - 1) / BLOCK_N;
  const unsigned first_m = blockIdx.x / tiles_n * BLOCK_M, first_n = blockIdx.x % tiles_n * BLOCK_N;
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const unsigned thread_m = warp / WARPS_N * 64 + lane / 4 * 8, thread_n = warp % WARPS_N * 32 + lane % 4 * 8;
  const unsigned long_row = threadIdx.x / 32, long_column = threadIdx.x % 32 * 4;
  const unsigned short_row = threadIdx.x / 2, short_column = threadIdx.x % 2 * 4;

  Quad next_a, next_b;
  auto fetch = [&](unsigned at) {
#if A_TRANSPOSED
    next_a = fetch_rows(a, leading_a, k, m, at + long_row, first_m + long_column);
#else
    next_a = fetch_masked(a, leading_a, m, k, first_m + short_row, at + short_column);
#endif
    next_b = fetch_rows(b, leading_b, k, n, at + long_row, first_n + long_column);
  };
  auto keep = [&](unsigned stage) {
#if A_TRANSPOSED
    *(Quad*)&left[stage][long_row][long_column] = next_a;
#else
    left[stage][short_column][short_row] = next_a.x;
    left[stage][short_column + 1][short_row] = next_a.y;
    left[stage][short_column + 2][short_row] = next_a.z;
    left[stage][short_column + 3][short_row] = next_a.w;
#endif
    *(Quad*)&right[stage][long_row][long_column] = next_b;
  };

  WORD sum[8][8];
#pragma unroll
  for (unsigned i = 0; i < 64; ++i) sum[i / 8][i % 8] = 0;
  fetch(0);
  keep(0);
  __syncthreads();
  const unsigned tiles = (k + BLOCK_K - 1) / BLOCK_K;
#pragma unroll 1
  for (unsigned tile = 0; tile < tiles; ++tile) {
    // Past the end this reads zeros that nobody uses.
    fetch((tile + 1) * BLOCK_K);
    const unsigned stage = tile % 2;
#pragma unroll
    for (unsigned step = 0; step < BLOCK_K; ++step) {
      WORD x[8], y[8];
#pragma unroll
      for (unsigned i = 0; i < 8; i += 4) {
        *(Quad*)(x + i) = *(const Quad*)&left[stage][step][thread_m + i];
        *(Quad*)(y + i) = *(const Quad*)&right[stage][step][thread_n + i];
      }
#pragma unroll
      for (unsigned i = 0; i < 8; ++i)
#pragma unroll
        for (unsigned j = 0; j < 8; ++j) sum[i][j] = multiply_add(x[i], y[j], sum[i][j]);
    }
    // The other stage was last read before the barrier at the end of the trip before.
    keep(1 - stage);
    __syncthreads();
  }
#pragma unroll
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned row = first_m + thread_m + i;
#pragma unroll
    for (unsigned j = 0; j < 8; ++j) {
      const unsigned column = first_n + thread_n + j;
      if (row < m && column < n) c[(u64)row * leading_c + column] = sum[i][j];
    }
  }
}
