using System.Diagnostics;
using System.Runtime.InteropServices;
using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>What it takes to record the graph of the TreeLSTM and to renew it, without computing anything.</summary>
internal static class ConstructionBenchmark
{
    public static string Run(Options options)
    {
        using var model = new Model(Options.Seed);
        using var graph = new ComputationGraph(Options.Seed);
        Tree[] trees = Tree.All(options.DataFile, out int words);
        TreeNetwork network = TreeLstm.Create(options.Style, model, words);
        var losses = new List<Expression>();
        int next = 0;

        Measure(Math.Min(1, options.Seconds), out _);
        double nanoseconds = Measure(options.Seconds, out double bytes);
        return Report.Line(options, nanoseconds, "ns/node", ("bytes_per_node", bytes));

        double Measure(double seconds, out double bytes)
        {
            long nodes = 0;
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            TimeSpan elapsed;
            do
            {
                nodes += Build();
                elapsed = Stopwatch.GetElapsedTime(start);
            }
            while (elapsed.TotalSeconds < seconds);
            bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - allocated) / nodes;
            return elapsed.TotalNanoseconds / nodes;
        }

        long Build()
        {
            graph.Renew();
            losses.Clear();
            network.Begin(graph);
            for (int i = 0; i < options.Batch; i++)
            {
                network.Record(trees[next], losses);
                next = (next + 1) % trees.Length;
            }
            Sum(CollectionsMarshal.AsSpan(losses));
            return graph.NodeCount;
        }
    }
}
