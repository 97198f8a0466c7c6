// work    2 * M * N * K * A_TILES * B_TILES * UNROLL per warp and trip
// shape   none: register-resident
// launch  THREADS a block, one wave
// needs   sm_75
// A alternates between two fragments, the second of which takes back most of what the first added: sums stay exact
// with full operands, and no two neighbouring products are equal, which a compiler that emulates would merge.
// Sums start from zero again every RESET trips. Fragments come ready-made, word by word, the same for each warp.

// Operands of the instruction: D, then A, then B, as INSTRUCTION numbers them.
#if D_WORDS == 4
#define SUMS(d) "+" CONSTRAINT(d[0]), "+" CONSTRAINT(d[1]), "+" CONSTRAINT(d[2]), "+" CONSTRAINT(d[3])
#else
#define SUMS(d) "+" CONSTRAINT(d[0]), "+" CONSTRAINT(d[1])
#endif
#define IN(x) OPERAND_CONSTRAINT(x)
#if A_WORDS == 8
#define LEFT(a) IN(a[0]), IN(a[1]), IN(a[2]), IN(a[3]), IN(a[4]), IN(a[5]), IN(a[6]), IN(a[7])
#elif A_WORDS == 4
#define LEFT(a) IN(a[0]), IN(a[1]), IN(a[2]), IN(a[3])
#elif A_WORDS == 2
#define LEFT(a) IN(a[0]), IN(a[1])
#else
#define LEFT(a) IN(a[0])
#endif
#if B_WORDS == 4
#define RIGHT(b) IN(b[0]), IN(b[1]), IN(b[2]), IN(b[3])
#elif B_WORDS == 2
#define RIGHT(b) IN(b[0]), IN(b[1])
#else
#define RIGHT(b) IN(b[0])
#endif
#ifdef SCALE
#define SCALES , "r"(SCALE)
#else
#define SCALES
#endif

extern "C" __global__ void __launch_bounds__(THREADS)
mma(WORD* __restrict__ accumulators, const OPERAND* __restrict__ operands, unsigned iterations) {
  const unsigned lane = threadIdx.x % 32;
  OPERAND a[2][A_TILES][A_WORDS], b[B_TILES][B_WORDS];
  WORD d[A_TILES][B_TILES][D_WORDS];
#pragma unroll
  for (unsigned i = 0; i < 2 * A_TILES * A_WORDS; ++i)
    a[i / (A_TILES * A_WORDS)][i / A_WORDS % A_TILES][i % A_WORDS] = operands[i * 32 + lane];
#pragma unroll
  for (unsigned i = 0; i < B_TILES * B_WORDS; ++i)
    b[i / B_WORDS][i % B_WORDS] = operands[(2 * A_TILES * A_WORDS + i) * 32 + lane];
#pragma unroll
  for (unsigned i = 0; i < A_TILES * B_TILES * D_WORDS; ++i)
    d[i / (B_TILES * D_WORDS)][i / D_WORDS % B_TILES][i % D_WORDS] = 0;

  for (unsigned left = iterations; left > 0;) {
    const unsigned trips = left < RESET ? left : RESET;
    left -= trips;
#pragma unroll 1
    for (unsigned trip = 0; trip < trips; ++trip) {
#pragma unroll
      for (unsigned step = 0; step < UNROLL; ++step)
#pragma unroll
        for (unsigned i = 0; i < A_TILES; ++i)
#pragma unroll
          for (unsigned j = 0; j < B_TILES; ++j)
            asm volatile(INSTRUCTION : SUMS(d[i][j]) : LEFT(a[step % 2][i]), RIGHT(b[j]) SCALES);
    }
    if (left > 0) {
#pragma unroll
      for (unsigned i = 0; i < A_TILES * B_TILES * D_WORDS; ++i)
        d[i / (B_TILES * D_WORDS)][i / D_WORDS % B_TILES][i % D_WORDS] = 0;
    }
  }

  const unsigned long long thread = (unsigned long long)blockIdx.x * THREADS + threadIdx.x;
#pragma unroll
  for (unsigned i = 0; i < A_TILES * B_TILES * D_WORDS; ++i)
    accumulators[thread * (A_TILES * B_TILES * D_WORDS) + i] =
        d[i / (B_TILES * D_WORDS)][i / D_WORDS % B_TILES][i % D_WORDS];
}
