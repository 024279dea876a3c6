namespace DynNet.Native;

/// <summary>Noise that is added to weights while an LSTM is trained.</summary>
internal static class WeightNoise
{
    /// <summary>Throws unless a standard deviation is one.</summary>
    internal static void Check(double standardDeviation)
    {
        if (!(standardDeviation >= 0 && double.IsFinite(standardDeviation)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(standardDeviation),
                standardDeviation,
                $"A standard deviation of {standardDeviation}: it must be 0 or more, and finite.");
        }
    }

    /// <summary>A weight with new noise in a graph; the weight itself if the deviation is 0.</summary>
    internal static Expression Added(ComputationGraph graph, Expression weight, double standardDeviation) =>
        standardDeviation == 0
            ? weight
            // It may be a parameter that no graph has taken up yet.
            : Ops.Noise(graph.Bound(weight), standardDeviation);
}
