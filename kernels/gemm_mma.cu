// work    2 * m * n * k
// shape   any; A [m, k], or [k, m] with A_TRANSPOSED; B [k, n]; C [m, n]; rows padded to 128 bytes
// launch  one block a tile, WARPS_M x WARPS_N warps of 64 x 32
// needs   sm_80
// Tiles come by asynchronous copies, STAGES - 1 ahead; beyond the matrices they read as zero, padding is never used.
// Chunks of 16 bytes change places within a row (swizzle), so that eight rows read together meet different banks.
// Where a format's fragments run across the rows in memory, 16-bit ones are transposed by ldmatrix, 32-bit ones read
// word by word, and 8-bit ones read four rows at a time and transposed in registers.

typedef unsigned long long u64;

#define ROW_BYTES (BLOCK_K * ELEMENT_BYTES)   // of a tile along K: 64
#define CHUNKS_K (ROW_BYTES / 16)
#define LONG_BYTES (128 * ELEMENT_BYTES)      // of a tile across K
#define CHUNKS_LONG (LONG_BYTES / 16)
#define TILE_BYTES (128 * ROW_BYTES)
#define STEPS (BLOCK_K / STEP_K)

extern __shared__ __align__(128) unsigned char memory[];

// Place of a chunk in a tile of 128 rows along K.
static __device__ __forceinline__ unsigned along(unsigned row, unsigned chunk) {
  return row * ROW_BYTES + ((chunk ^ (row / 2 % 4)) * 16);
}

// Place of a chunk in a tile of BLOCK_K rows across K.
static __device__ __forceinline__ unsigned across(unsigned row, unsigned chunk) {
#if ELEMENT_BYTES == 1
  return row * LONG_BYTES + ((chunk ^ (row / 4 % 4 * 2)) * 16);
#elif ELEMENT_BYTES == 2
  return row * LONG_BYTES + ((chunk ^ (row % 8)) * 16);
#else
  return row * LONG_BYTES + ((chunk ^ (row % 4 * 2)) * 16);
#endif
}

// Copies 16 bytes of which those inside the matrix count; the rest is zero.
static __device__ __forceinline__ void copy(unsigned to, const unsigned char* from, unsigned leading, unsigned rows,
                                            unsigned columns, unsigned row, unsigned column) {
  const bool inside = row < rows && column < columns;
  const unsigned left = inside ? (columns - column) * ELEMENT_BYTES : 0;
  const unsigned size = left < 16 ? left : 16;
  const unsigned char* source = inside ? from + ((u64)row * leading + column) * ELEMENT_BYTES : from;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(source), "r"(size) : "memory");
}

static __device__ __forceinline__ void ldmatrix(unsigned (&v)[4], unsigned address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3]) : "r"(address) : "memory");
}

static __device__ __forceinline__ void ldmatrix_transposed(unsigned (&v)[4], unsigned address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3]) : "r"(address) : "memory");
}

static __device__ __forceinline__ unsigned word(unsigned address) {
  unsigned v;
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(v) : "r"(address) : "memory");
  return v;
}

// Words of four rows with four columns each become words of four columns with four rows each.
static __device__ __forceinline__ void transpose_bytes(unsigned (&v)[4]) {
  const unsigned low01 = __byte_perm(v[0], v[1], 0x5140), high01 = __byte_perm(v[0], v[1], 0x7362);
  const unsigned low23 = __byte_perm(v[2], v[3], 0x5140), high23 = __byte_perm(v[2], v[3], 0x7362);
  v[0] = __byte_perm(low01, low23, 0x5410);
  v[1] = __byte_perm(low01, low23, 0x7632);
  v[2] = __byte_perm(high01, high23, 0x5410);
  v[3] = __byte_perm(high01, high23, 0x7632);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
gemm_mma(WORD* __restrict__ c, const unsigned char* __restrict__ a, const unsigned char* __restrict__ b, unsigned m,
         unsigned n, unsigned k, unsigned leading_a, unsigned leading_b, unsigned leading_c) {
  const unsigned base = (unsigned)__cvta_generic_to_shared(memory);
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, group = lane / 4, quad = lane % 4;
  const unsigned warp_m = warp / WARPS_N * 64, warp_n = warp % WARPS_N * 32;
  // Eight tiles of C's rows take turns before the next column, so that neighbours share B.
  const unsigned tiles_m = (m + BLOCK_M - 1) / BLOCK_M, tiles_n = (n + BLOCK_N - 1) / BLOCK_N;
  const unsigned band = blockIdx.x / (8 * tiles_n), in_band = blockIdx.x % (8 * tiles_n);
  const unsigned height = tiles_m - band * 8 < 8 ? tiles_m - band * 8 : 8;
  const unsigned first_m = (band * 8 + in_band % height) * BLOCK_M, first_n = in_band / height * BLOCK_N;

  auto fetch = [&](unsigned tile) {
    const unsigned left = base + tile % STAGES * (2 * TILE_BYTES), right = left + TILE_BYTES, at = tile * BLOCK_K;
#pragma unroll
    for (unsigned i = threadIdx.x; i < TILE_BYTES / 16; i += THREADS) {
      const unsigned row = i / CHUNKS_LONG, chunk = i % CHUNKS_LONG, column = chunk * (16 / ELEMENT_BYTES);
#if A_TRANSPOSED
      copy(left + across(row, chunk), a, leading_a, k, m, at + row, first_m + column);
#else
      const unsigned line = i / CHUNKS_K, part = i % CHUNKS_K;
      copy(left + along(line, part), a, leading_a, m, k, first_m + line, at + part * (16 / ELEMENT_BYTES));
#endif
      copy(right + across(row, chunk), b, leading_b, k, n, at + row, first_n + column);
    }
  };

  WORD d[4][4][4];
#pragma unroll
  for (unsigned i = 0; i < 64; ++i) d[i / 16][i / 4 % 4][i % 4] = 0;
  const unsigned tiles = (k + BLOCK_K - 1) / BLOCK_K;
#pragma unroll
  for (unsigned tile = 0; tile < STAGES - 1; ++tile) {
    if (tile < tiles) fetch(tile);
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
#pragma unroll 1
  for (unsigned tile = 0; tile < tiles; ++tile) {
    asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
    __syncthreads();
    if (tile + STAGES - 1 < tiles) fetch(tile + STAGES - 1);
    asm volatile("cp.async.commit_group;" ::: "memory");
    const unsigned left = base + tile % STAGES * (2 * TILE_BYTES), right = left + TILE_BYTES;
#pragma unroll
    for (unsigned step = 0; step < STEPS; ++step) {
      unsigned x[4][4], y[4][2];
#if !A_TRANSPOSED
#pragma unroll
      for (unsigned i = 0; i < 4; ++i)
        ldmatrix(x[i], left + along(warp_m + i * 16 + lane % 16, step * 2 + lane / 16));
#elif ELEMENT_BYTES == 2
#pragma unroll
      for (unsigned i = 0; i < 4; ++i)
        ldmatrix_transposed(x[i], left + across(step * 16 + lane / 16 * 8 + lane % 8, (warp_m + i * 16) / 8 + lane / 8 % 2));
#elif ELEMENT_BYTES == 4
#pragma unroll
      for (unsigned i = 0; i < 16; ++i) {
        const unsigned row = step * 8 + quad + i % 4 / 2 * 4, column = warp_m + i / 4 * 16 + group + i % 2 * 8;
        x[i / 4][i % 4] = word(left + across(row, column / 4) + column % 4 * 4);
      }
#else
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) {
        // 32 rows of C, four neighbours a lane: they become rows `group` of four halves of tiles.
        unsigned v[4];
#pragma unroll
        for (unsigned j = 0; j < 4; ++j) {
          const unsigned row = step * 32 + i % 2 * 16 + quad * 4 + j, column = warp_m + i / 2 * 32 + group * 4;
          v[j] = word(left + across(row, column / 16) + column % 16);
        }
        transpose_bytes(v);
#pragma unroll
        for (unsigned j = 0; j < 4; ++j) x[i / 2 * 2 + j / 2][j % 2 + i % 2 * 2] = v[j];
      }
#endif
#if ELEMENT_BYTES == 2
#pragma unroll
      for (unsigned i = 0; i < 2; ++i) {
        unsigned v[4];
        ldmatrix_transposed(v, right + across(step * 16 + lane / 8 % 2 * 8 + lane % 8, (warp_n + i * 16) / 8 + lane / 16));
        y[i * 2][0] = v[0], y[i * 2][1] = v[1], y[i * 2 + 1][0] = v[2], y[i * 2 + 1][1] = v[3];
      }
#elif ELEMENT_BYTES == 4
#pragma unroll
      for (unsigned i = 0; i < 8; ++i) {
        const unsigned row = step * 8 + quad + i % 2 * 4, column = warp_n + i / 2 * 8 + group;
        y[i / 2][i % 2] = word(right + across(row, column / 4) + column % 4 * 4);
      }
#else
#pragma unroll
      for (unsigned i = 0; i < 2; ++i) {
        // 32 columns of C, four neighbours a lane: they become columns `group` of four tiles.
        unsigned v[4];
#pragma unroll
        for (unsigned j = 0; j < 4; ++j) {
          const unsigned row = step * 32 + i * 16 + quad * 4 + j, column = warp_n + group * 4;
          v[j] = word(right + across(row, column / 16) + column % 16);
        }
        transpose_bytes(v);
#pragma unroll
        for (unsigned j = 0; j < 4; ++j) y[j][i] = v[j];
      }
#endif
#pragma unroll
      for (unsigned i = 0; i < 4; ++i)
#pragma unroll
        for (unsigned j = 0; j < 4; ++j)
          asm volatile(INSTRUCTION
                       : "+" CONSTRAINT(d[i][j][0]), "+" CONSTRAINT(d[i][j][1]), "+" CONSTRAINT(d[i][j][2]), "+" CONSTRAINT(d[i][j][3])
                       : "r"(x[i][0]), "r"(x[i][1]), "r"(x[i][2]), "r"(x[i][3]), "r"(y[j][0]), "r"(y[j][1]));
    }
  }
#pragma unroll
  for (unsigned i = 0; i < 4; ++i)
#pragma unroll
    for (unsigned j = 0; j < 4; ++j)
#pragma unroll
      for (unsigned at = 0; at < 4; ++at) {
#if A_TRANSPOSED && ELEMENT_BYTES == 1
        const unsigned row = first_m + warp_m + i / 2 * 32 + group * 4 + i % 2 * 2 + at / 2;
#else
        const unsigned row = first_m + warp_m + i * 16 + group + at / 2 * 8;
#endif
#if ELEMENT_BYTES == 1
        const unsigned column = first_n + warp_n + (quad * 2 + at % 2) * 4 + j;
#else
        const unsigned column = first_n + warp_n + j * 8 + quad * 2 + at % 2;
#endif
        if (row < m && column < n) c[(u64)row * leading_c + column] = d[i][j][at];
      }
}
