using System.Globalization;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// Nanoseconds an element of one phase: ours, the loop's and Eigen's, and ours to the better one of those, as the median
/// of what pairs of blocks show. Null where there is nothing.
/// </summary>
internal sealed record OpFigures(double? Ours, double? Loop, double? Eigen, double? Ratio)
{
    /// <param name="times">Of each side, its blocks.</param>
    /// <param name="phase">Which of the two times of a block.</param>
    /// <param name="elements">Of all nodes and updates of a block.</param>
    public static OpFigures Of(
        (double? Forward, double? Backward)[][] times, Func<(double? Forward, double? Backward), double?> phase,
        double elements)
    {
        double[]?[] blocks = [.. times.Select(Known)];
        double?[] medians = [.. blocks.Select(b => b is null ? (double?)null : Statistics.Median(b))];
        double[]? best = blocks[2] is null || medians[1] < medians[2] ? blocks[1] : blocks[2];
        double? ratio = blocks[0] is null || best is null
            ? null
            : Statistics.Median([.. blocks[0]!.Zip(best, (ours, other) => ours / other)]);
        return new OpFigures(medians[0] / elements, medians[1] / elements, medians[2] / elements, ratio);

        double[]? Known((double? Forward, double? Backward)[] side)
        {
            double?[] all = [.. side.Select(phase)];
            return all.Length == 0 || all.Contains(null) ? null : [.. all.Select(t => t!.Value)];
        }
    }
}

/// <summary>What the benchmark of operations found of one.</summary>
internal sealed record OpResult(string Op, long Elements, int Nodes, OpFigures Forward, OpFigures Backward)
{
    /// <summary>The most that a ratio is meant to be.</summary>
    private const double Bar = 1.1;

    /// <summary>As a JSON object.</summary>
    public string Line(int threads) =>
        $"{{\"task\": \"ops\", \"op\": \"{Op}\", \"elements\": {Elements}, \"nodes\": {Nodes}, \"threads\": {threads}, "
        + $"\"forward_ns\": {Text(Forward.Ours)}, \"backward_ns\": {Text(Backward.Ours)}, "
        + $"\"forward_loop_ns\": {Text(Forward.Loop)}, \"forward_eigen_ns\": {Text(Forward.Eigen)}, "
        + $"\"backward_loop_ns\": {Text(Backward.Loop)}, \"backward_eigen_ns\": {Text(Backward.Eigen)}, "
        + $"\"forward_ratio\": {Text(Forward.Ratio)}, \"backward_ratio\": {Text(Backward.Ratio)}}}";

    /// <summary>
    /// How many ratios there are, those above the bar, the largest first, and what there was nothing to compare with; as a
    /// JSON object.
    /// </summary>
    public static string Summary(IReadOnlyList<OpResult> results)
    {
        (string Name, double Ratio)[] ratios =
        [
            .. from result in results
               from phase in ((string Name, OpFigures Figures)[])
                   [("forward", result.Forward), ("backward", result.Backward)]
               where phase.Figures.Ratio is not null
               orderby phase.Figures.Ratio descending
               select ($"{result.Op} {phase.Name}", phase.Figures.Ratio!.Value),
        ];
        IEnumerable<string> above = ratios.Where(r => r.Ratio > Bar).Select(r => $"\"{r.Name}\": {Text(r.Ratio)}");
        IEnumerable<string> alone =
            results.Where(r => r.Forward.Ratio is null && r.Backward.Ratio is null).Select(r => $"\"{r.Op}\"");
        return $"{{\"task\": \"ops\", \"operations\": {results.Count}, \"ratios\": {ratios.Length}, "
            + $"\"above_{Text(Bar)}\": {{{string.Join(", ", above)}}}, "
            + $"\"without_reference\": [{string.Join(", ", alone)}]}}";
    }

    private static string Text(double? figure) =>
        figure is null ? "null" : figure.Value.ToString("0.####", CultureInfo.InvariantCulture);
}
