using System.Diagnostics;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// What it costs to decode step by step: the same sequences are computed with one incremental forward for each token,
/// as a decoder must that depends on its own output, and with one forward at the end. The difference is the overhead.
/// </summary>
internal static class DecodeBenchmark
{
    private const int Tokens = 1_000;
    private const int Size = 64;
    private const int Hidden = 128;
    private const int Length = 50;

    public static string Run(Options options)
    {
        using var model = new Model(Options.Seed);
        using var graph = new ComputationGraph(Options.Seed);
        LookupParameter table = model.AddLookupParameters(Tokens, [Size]);
        Lstm lstm = Lstm.Create(options.Style, model, Size, Hidden);
        Parameter weights = model.AddParameters([Tokens, Hidden]);
        var random = new Random(Options.Seed);
        int[] sequence = [.. Enumerable.Range(0, Length).Select(_ => random.Next(Tokens))];
        var scores = new Expression[Length];

        // In turns, so that whatever else the machine does hits both; the medians ignore it where it is short.
        var steps = new List<double>();
        var wholes = new List<double>();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < Math.Min(1, options.Seconds))
            _ = Time(byStep: true) + Time(byStep: false);
        start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < options.Seconds)
        {
            steps.Add(Time(byStep: true));
            wholes.Add(Time(byStep: false));
        }
        double step = Statistics.Median([.. steps]);
        double whole = Statistics.Median([.. wholes]);
        return Report.Line(
            options, step - whole, "us/token", ("us_per_token_by_step", step), ("us_per_token_at_once", whole));

        // Microseconds a token.
        double Time(bool byStep)
        {
            long begin = Stopwatch.GetTimestamp();
            graph.Renew();
            // At once without batching, so that both compute the same nodes one by one and differ in the forwards alone.
            graph.Batching = byStep;
            lstm.Begin(graph);
            Expression weight = graph.Parameter(weights);
            Lstm.State state = lstm.Start();
            float sum = 0;
            for (int i = 0; i < Length; i++)
            {
                state = lstm.Next(state, graph.Lookup(table, sequence[i]));
                scores[i] = weight * state.H;
                if (byStep)
                    sum += scores[i].AsSpan()[0];
            }
            // From the last, so that the first reading computes all.
            for (int i = Length - 1; i >= 0 && !byStep; i--)
                sum += scores[i].AsSpan()[0];
            if (!float.IsFinite(sum))
                throw new InvalidOperationException("A score is not finite.");
            return Stopwatch.GetElapsedTime(begin).TotalMicroseconds / Length;
        }
    }
}
