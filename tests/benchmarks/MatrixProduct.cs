namespace DynNet.Native.Benchmarks;

internal static class MatrixProduct
{
    /// <summary>The floating-point operations, multiplications and additions, of the product {m, k} {k, n}.</summary>
    public static long Flops(int m, int n, int k) => 2L * m * n * k;
}
