using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DynNet.Native.Benchmarks;

/// <summary>What one core can do at most: fused multiply-adds on registers, none of which waits for another.</summary>
internal static class Peak
{
    private const int Runs = 15;
    private const int Rounds = 1_000_000;

    // Enough to fill two units with a latency of 5, and with the two constants no more than 16 registers.
    private const int Accumulators = 12;

    // What a vector type can do, since the vectors themselves have no interface.
    private interface IArithmetic<TVector>
    {
        static abstract int Lanes { get; }

        static abstract TVector Create(float value);

        static abstract TVector MultiplyAdd(TVector x, TVector factor, TVector summand);

        static abstract float Sum(TVector x, TVector y);
    }

    /// <summary>Several short runs, each in 10^9 floating-point operations a second.</summary>
    public static double[] Measure() =>
    [
        .. Enumerable.Range(0, Runs).Select(_ => Vector512.IsHardwareAccelerated
            ? Run<Arithmetic512, Vector512<float>>()
            : Run<Arithmetic256, Vector256<float>>()),
    ];

    private static double Run<TArithmetic, TVector>()
        where TArithmetic : IArithmetic<TVector>
    {
        long start = Stopwatch.GetTimestamp();
        float sum = MultiplyAdd<TArithmetic, TVector>();
        double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        // Looked at, lest the compiler leave the sum out.
        if (!float.IsFinite(sum))
            throw new InvalidOperationException("The sum is not finite.");
        return MatrixProduct.Flops(TArithmetic.Lanes, Accumulators, Rounds) / nanoseconds;
    }

    // A method of its own: a call beside the loop would keep the accumulators out of registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float MultiplyAdd<TArithmetic, TVector>()
        where TArithmetic : IArithmetic<TVector>
    {
        // All converge to 1, so that none becomes infinite or denormal.
        TVector factor = TArithmetic.Create(0.5f);
        TVector summand = TArithmetic.Create(0.5f);
        TVector a = factor, b = factor, c = factor, d = factor, e = factor, f = factor;
        TVector g = factor, h = factor, i = factor, j = factor, k = factor, l = factor;
        for (int round = 0; round < Rounds; round++)
        {
            a = TArithmetic.MultiplyAdd(a, factor, summand);
            b = TArithmetic.MultiplyAdd(b, factor, summand);
            c = TArithmetic.MultiplyAdd(c, factor, summand);
            d = TArithmetic.MultiplyAdd(d, factor, summand);
            e = TArithmetic.MultiplyAdd(e, factor, summand);
            f = TArithmetic.MultiplyAdd(f, factor, summand);
            g = TArithmetic.MultiplyAdd(g, factor, summand);
            h = TArithmetic.MultiplyAdd(h, factor, summand);
            i = TArithmetic.MultiplyAdd(i, factor, summand);
            j = TArithmetic.MultiplyAdd(j, factor, summand);
            k = TArithmetic.MultiplyAdd(k, factor, summand);
            l = TArithmetic.MultiplyAdd(l, factor, summand);
        }
        return TArithmetic.Sum(a, b) + TArithmetic.Sum(c, d) + TArithmetic.Sum(e, f)
            + TArithmetic.Sum(g, h) + TArithmetic.Sum(i, j) + TArithmetic.Sum(k, l);
    }

    private readonly struct Arithmetic512 : IArithmetic<Vector512<float>>
    {
        public static int Lanes => Vector512<float>.Count;

        public static Vector512<float> Create(float value) => Vector512.Create(value);

        public static Vector512<float> MultiplyAdd(
            Vector512<float> x, Vector512<float> factor, Vector512<float> summand) =>
            Vector512.FusedMultiplyAdd(x, factor, summand);

        public static float Sum(Vector512<float> x, Vector512<float> y) => Vector512.Sum(x + y);
    }

    private readonly struct Arithmetic256 : IArithmetic<Vector256<float>>
    {
        public static int Lanes => Vector256<float>.Count;

        public static Vector256<float> Create(float value) => Vector256.Create(value);

        public static Vector256<float> MultiplyAdd(
            Vector256<float> x, Vector256<float> factor, Vector256<float> summand) =>
            Vector256.FusedMultiplyAdd(x, factor, summand);

        public static float Sum(Vector256<float> x, Vector256<float> y) => Vector256.Sum(x + y);
    }
}
