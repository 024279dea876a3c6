namespace DynNet.Native.Benchmarks;

internal static class Statistics
{
    /// <summary>The middle one of an odd number of values, else the upper of the two in the middle.</summary>
    public static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
