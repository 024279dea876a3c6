namespace DynNet.Native;

/// <summary>Noise that is added to weights while an LSTM is trained.</summary>
internal static class WeightNoise
{
    /// <summary>Throws unless a standard deviation is one.</summary>
    internal static void Check(double standardDeviation)
    {
        if (!(standardDeviation >= 0 && double.IsFinite(standardDeviation)))
        {
            throw new ArgumentException(
                $"A standard deviation of {standardDeviation}: it must be 0 or more, and finite.",
                nameof(standardDeviation));
        }
    }

    /// <summary>A weight with new noise, if the sequence has any.</summary>
    internal static Expression Added(in RnnStep step, Expression weight)
    {
        double deviation = step.Rates.WeightNoise;
        if (deviation == 0)
            return weight;
        Dim dim = weight.Dim;
        float[] noise = new float[dim.Size];
        for (int i = 0; i < noise.Length; i++)
            noise[i] = (float)(deviation * Normal());
        return weight + step.Graph.Input(dim, noise);
    }

    // Box and Muller 1958.
    private static double Normal() =>
        Math.Sqrt(-2 * Math.Log(1 - Random.Shared.NextDouble())) * Math.Cos(Math.Tau * Random.Shared.NextDouble());
}
