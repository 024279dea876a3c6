using System.Globalization;
using System.Text.RegularExpressions;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// What share of forward and backward is planning: finding out what runs together. Recording and updates do not count.
/// </summary>
internal static partial class SchedulingBenchmark
{
    public static string Run(Options options)
    {
        using Workload workload = Workload.Create(options);
        string profile = workload.Profile(options.Seconds).Text;
        string sums = profile[..profile.IndexOf('\n')];
        double plan = Milliseconds(sums, "plan");
        double forward = Milliseconds(sums, "forward");
        // The sums of the gradients of parameters are the end of a backward.
        double backward = Milliseconds(sums, "backward") + Milliseconds(sums, "parameters");
        return Report.Line(
            options, plan / (plan + forward + backward), "share",
            ("plan_ms", plan), ("forward_ms", forward), ("backward_ms", backward));
    }

    // The profile's first line has the sums: "..., plan 1.234, forward 5.678, ..."
    private static double Milliseconds(string sums, string phase)
    {
        foreach (Match match in Sum().Matches(sums))
        {
            if (match.Groups["phase"].Value == phase)
                return double.Parse(match.Groups["time"].Value, CultureInfo.InvariantCulture);
        }
        throw new InvalidOperationException($"The profile does not tell of '{phase}': {sums}");
    }

    [GeneratedRegex(@", (?<phase>\w+) (?<time>[0-9.]+)")]
    private static partial Regex Sum();
}
