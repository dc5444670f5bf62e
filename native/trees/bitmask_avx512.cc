// The bitmask kernel in AVX-512 (F, BW, CD, DQ, VL): 16 rows of float, 8 of double.
//
// The pragma is never popped, for the reason that `bitmask_avx2.cc` gives.
#if defined(__x86_64__)

#include <immintrin.h>

#include "trees/bitmask_kernel.h"

// The compiler's own headers set vectors from themselves to say that their content does not matter.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl")

#include "trees/bitmask_body.h"

namespace larder::trees {

namespace {

// Eight leaves by their numbers, out of a table that registers hold: no gather, which is slow on
// some machines. `tables` are 2, 4 or 8 of eight leaves.
template <int kTables>
struct LeafTable {
  __m512d parts[kTables];

  [[gnu::always_inline]] explicit LeafTable(double const* leaves) {
#pragma GCC unroll 8
    for (int i = 0; i < kTables; ++i) parts[i] = _mm512_loadu_pd(leaves + i * 8);
  }
  [[gnu::always_inline]] __m512d at(__m512i numbers) const {
    if constexpr (kTables == 2) {
      return pair(0, numbers);
    } else {
      __mmask8 const has16 = _mm512_test_epi64_mask(numbers, _mm512_set1_epi64(16));
      __m512d const low = _mm512_mask_blend_pd(has16, pair(0, numbers), pair(2, numbers));
      if constexpr (kTables == 4) {
        return low;
      } else {
        __mmask8 const has32 = _mm512_test_epi64_mask(numbers, _mm512_set1_epi64(32));
        __m512d const high = _mm512_mask_blend_pd(has16, pair(4, numbers), pair(6, numbers));
        return _mm512_mask_blend_pd(has32, low, high);
      }
    }
  }

 private:
  // The permutation reads the low four bits of a number.
  [[gnu::always_inline]] __m512d pair(int first, __m512i numbers) const {
    return _mm512_permutex2var_pd(parts[first], numbers, parts[first + 1]);
  }
};

template <bool kFloat32>
[[gnu::always_inline]] inline void addTo(double* sums, __m512d leaves) {
  __m512d const sum = _mm512_add_pd(_mm512_loadu_pd(sums), leaves);
  _mm512_storeu_pd(sums, kFloat32 ? _mm512_cvtps_pd(_mm512_cvtpd_ps(sum)) : sum);
}

struct Avx512Float {
  using Scalar = float;
  using Word = std::uint32_t;
  using Values = __m512;
  using Words = __m512i;
  static constexpr std::size_t kRows = 16;
  static constexpr int kVectors = 4;

  [[gnu::always_inline]] static Words all() { return _mm512_set1_epi32(-1); }
  [[gnu::always_inline]] static Values splat(float x) { return _mm512_set1_ps(x); }
  [[gnu::always_inline]] static Words splat(Word x) {
    return _mm512_set1_epi32(static_cast<int>(x));
  }
  [[gnu::always_inline]] static Words keepIf(Words words, float const* x, Values threshold,
                                             Words keep) {
    // Not (x <= threshold), with the operand in memory last.
    __mmask16 const isRight = _mm512_cmp_ps_mask(threshold, _mm512_load_ps(x), _CMP_NGE_UQ);
    return _mm512_mask_and_epi32(words, isRight, words, keep);
  }
  template <bool kFloat32, bool kHalves, int kCount>
  [[gnu::always_inline]] static void addLeaves(Words const* first, Words const* second,
                                               double const* leaves, std::size_t leafCount,
                                               double* sums) {
    if constexpr (kHalves) {
      addFrom<kFloat32, kHalves, kCount>(LeafTable<8>(leaves), first, second, sums);
    } else if (leafCount > 16) {
      addFrom<kFloat32, kHalves, kCount>(LeafTable<4>(leaves), first, second, sums);
    } else {
      addFrom<kFloat32, kHalves, kCount>(LeafTable<2>(leaves), first, second, sums);
    }
  }

 private:
  template <bool kFloat32, bool kHalves, int kCount, int kTables>
  [[gnu::always_inline]] static void addFrom(LeafTable<kTables> const& table, Words const* first,
                                             Words const* second, double* sums) {
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) {
      __m512i numbers = _mm512_lzcnt_epi32(first[i]);
      if constexpr (kHalves) {
        __mmask16 const isSecond = _mm512_testn_epi32_mask(first[i], first[i]);
        numbers = _mm512_mask_add_epi32(numbers, isSecond, numbers, _mm512_lzcnt_epi32(second[i]));
      }
      __m256i const low = _mm512_castsi512_si256(numbers);
      __m256i const high = _mm512_extracti64x4_epi64(numbers, 1);
      addTo<kFloat32>(sums + i * kRows, table.at(_mm512_cvtepu32_epi64(low)));
      addTo<kFloat32>(sums + i * kRows + 8, table.at(_mm512_cvtepu32_epi64(high)));
    }
  }
};

struct Avx512Double {
  using Scalar = double;
  using Word = std::uint64_t;
  using Values = __m512d;
  using Words = __m512i;
  static constexpr std::size_t kRows = 8;
  static constexpr int kVectors = 4;

  [[gnu::always_inline]] static Words all() { return _mm512_set1_epi32(-1); }
  [[gnu::always_inline]] static Values splat(double x) { return _mm512_set1_pd(x); }
  [[gnu::always_inline]] static Words splat(Word x) {
    return _mm512_set1_epi64(static_cast<long long>(x));
  }
  [[gnu::always_inline]] static Words keepIf(Words words, double const* x, Values threshold,
                                             Words keep) {
    __mmask8 const isRight = _mm512_cmp_pd_mask(threshold, _mm512_load_pd(x), _CMP_NGE_UQ);
    return _mm512_mask_and_epi64(words, isRight, words, keep);
  }
  template <bool kFloat32, bool kHalves, int kCount>
  [[gnu::always_inline]] static void addLeaves(Words const* first, Words const*,
                                               double const* leaves, std::size_t leafCount,
                                               double* sums) {
    if (leafCount > 32) {
      addFrom<kFloat32, kCount>(LeafTable<8>(leaves), first, sums);
    } else if (leafCount > 16) {
      addFrom<kFloat32, kCount>(LeafTable<4>(leaves), first, sums);
    } else {
      addFrom<kFloat32, kCount>(LeafTable<2>(leaves), first, sums);
    }
  }

 private:
  template <bool kFloat32, int kCount, int kTables>
  [[gnu::always_inline]] static void addFrom(LeafTable<kTables> const& table, Words const* words,
                                             double* sums) {
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) {
      addTo<kFloat32>(sums + i * kRows, table.at(_mm512_lzcnt_epi64(words[i])));
    }
  }
};

}  // namespace

void runAvx512(MaskRun<float> const& run) { runTile<Avx512Float>(run); }
void runAvx512(MaskRun<double> const& run) { runTile<Avx512Double>(run); }

}  // namespace larder::trees

#endif
