// Vectors of numbers by the compiler's own vector types, and what the gates need of them.
//
// Everything is in a namespace without a name: sources that include this are compiled for different processors, and
// the linker must never take the functions of one for another.

#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#define DRYSTONE_INLINE inline __attribute__((always_inline))

namespace drystone {
namespace {

template <class T> struct Format;
template <> struct Format<float> {
    using Bits = std::int32_t;
    static constexpr int mantissa = 23, bias = 127, terms = 7;
    static constexpr float limit = 87.0f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    static constexpr float shift = 12582912.0f;  // 1.5 × 2^23: adding it rounds to a whole number, in the lowest bits
};
template <> struct Format<double> {
    using Bits = std::int64_t;
    static constexpr int mantissa = 52, bias = 1023, terms = 13;
    static constexpr double limit = 700.0, ln2_high = 6.93145751953125e-1, ln2_low = 1.42860682030941723212e-6;
    static constexpr double shift = 6755399441055744.0;
};

template <class T, int Bytes> struct Simd {
    using Number = T;
    static constexpr int size = Bytes / sizeof(T);
    typedef T V __attribute__((vector_size(Bytes)));
    typedef T Unaligned __attribute__((vector_size(Bytes), aligned(alignof(T)), may_alias));
    typedef typename Format<T>::Bits I __attribute__((vector_size(Bytes)));

    static DRYSTONE_INLINE V load(const T *from) { return *reinterpret_cast<const Unaligned *>(from); }
    static DRYSTONE_INLINE void store(T *to, V values) { *reinterpret_cast<Unaligned *>(to) = values; }
    static DRYSTONE_INLINE V all(T value) { return value - V{}; }

    // The first `count` numbers, where fewer than a vector are left; 0 in the others.
    static DRYSTONE_INLINE V load(const T *from, std::int64_t count) {
        if (count >= size)
            return load(from);
        V values{};
        for (std::int64_t i = 0; i < count; ++i)
            values[i] = from[i];
        return values;
    }
    static DRYSTONE_INLINE void store(T *to, V values, std::int64_t count) {
        if (count >= size)
            return store(to, values);
        for (std::int64_t i = 0; i < count; ++i)
            to[i] = values[i];
    }

    // Number i of vector j becomes number j of vector i; `size` vectors.
    static DRYSTONE_INLINE void transpose(V *vectors) {
        for (int done = 1; done < size; done *= 2) {
            V mixed[size];
            for (int i = 0; i < size / 2; ++i) {
                mixed[2 * i] = in_turn<0>(vectors[i], vectors[i + size / 2]);
                mixed[2 * i + 1] = in_turn<size / 2>(vectors[i], vectors[i + size / 2]);
            }
            for (int i = 0; i < size; ++i)
                vectors[i] = mixed[i];
        }
    }

    // The sums of the numbers of each vector: number i of the result is that of vector i. Overwrites the vectors.
    static DRYSTONE_INLINE V sums_of(V *vectors) {
        for (int count = size / 2; count > 0; count /= 2)
            for (int i = 0; i < count; ++i) {
                const V a = vectors[2 * i], b = vectors[2 * i + 1];
                vectors[i] = every_second<0>(a, b) + every_second<1>(a, b);
            }
        return vectors[0];
    }

    // e^x − 1, relatively exact near 0 too: x = n ln 2 + r, and e^x − 1 = 2^n (e^r − 1) + (2^n − 1).
    static DRYSTONE_INLINE V expm1(V x) {
        using F = Format<T>;
        x = x > F::limit ? all(F::limit) : x;  // comparisons that let NaN pass
        x = x < -F::limit ? all(-F::limit) : x;
        const V shifted = x * T(1.44269504088896340736) + F::shift;
        const V n = shifted - F::shift;
        const V r = (x - n * F::ln2_high) - n * F::ln2_low;
        const I exponent = (I)shifted - (I)all(F::shift) + F::bias;
        const V power = (V)(exponent << F::mantissa);
        V sum = all(inverse_factorial(F::terms));
        each_term<F::terms - 1>(sum, r);
        return power * (sum * r) + (power - T(1));
    }
    static DRYSTONE_INLINE V sigmoid(V x) { return T(1) / (T(2) + expm1(-x)); }
    static DRYSTONE_INLINE V tanh(V x) {
        const V twice = expm1(x + x);
        return twice / (twice + T(2));
    }

  private:
    using Indices = std::make_integer_sequence<int, size>;

    // From number `from` on, one of each vector in turn.
    template <int from> static DRYSTONE_INLINE V in_turn(V a, V b) { return in_turn<from>(a, b, Indices{}); }
    template <int from, int... i> static DRYSTONE_INLINE V in_turn(V a, V b, std::integer_sequence<int, i...>) {
        return __builtin_shufflevector(a, b, (from + i / 2 + i % 2 * size)...);
    }
    // Every second number of both vectors, one after the other.
    template <int from> static DRYSTONE_INLINE V every_second(V a, V b) { return every_second<from>(a, b, Indices{}); }
    template <int from, int... i> static DRYSTONE_INLINE V every_second(V a, V b, std::integer_sequence<int, i...>) {
        return __builtin_shufflevector(a, b, (from + 2 * i)...);
    }
    static constexpr T inverse_factorial(int n) {
        T value = 1;
        for (int i = 2; i <= n; ++i)
            value /= T(i);
        return value;
    }
    template <int Term> static DRYSTONE_INLINE void each_term(V &sum, V r) {
        sum = sum * r + inverse_factorial(Term);
        if constexpr (Term > 1)
            each_term<Term - 1>(sum, r);
    }
};

// Calls do(0), …, do(Count − 1) with numbers known to the compiler. A loop would be unrolled only after the compiler has
// decided to keep arrays in memory: accumulators would be stored and loaded at every step, at half the speed.
template <int Count, class Do> DRYSTONE_INLINE void each(Do &&act) {
    [&]<int... Index>(std::integer_sequence<int, Index...>) __attribute__((always_inline)) {
        (act(std::integral_constant<int, Index>{}), ...);
    }(std::make_integer_sequence<int, Count>{});
}

}  // namespace
}  // namespace drystone
