using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace DynNet.Native.Benchmarks;

/// <summary>Our side of the benchmark of an operation: a few nodes in a graph, recorded anew for each update.</summary>
internal sealed partial class OpRun : IDisposable
{
    // What the tensors of all nodes may take, so that they and what else is touched stay in a second cache of 1 MB.
    private const long MostBytes = 900_000;
    private const long MostNodes = 512;

    private readonly OpBenchmark _benchmark;
    private readonly Model _model = new(Options.Seed);
    private readonly ComputationGraph _graph = new(Options.Seed);
    private Parameter? _weights;
    private Expression? _loss;

    public OpRun(OpBenchmark benchmark)
    {
        _benchmark = benchmark;
        Operands = new Operands(_model, _graph);
        Results = new Expression[1];
        Record();
        Backward();
        // Each with its gradient.
        long floats = MostBytes / (2 * sizeof(float)) - Operands.OfAll;
        Results = new Expression[Math.Clamp(floats / (Results[0].Dim.Size + Operands.Own), 1, MostNodes)];
        _model.ResetGradients();
        Record();
        Backward();
    }

    public Operands Operands { get; }

    /// <summary>The nodes of the latest record.</summary>
    public Expression[] Results { get; }

    /// <summary>The elements of one node's largest operand or result.</summary>
    public long Elements => Math.Max(Operands.Most, Results[0].Dim.Size);

    /// <summary>
    /// Records all nodes. The loss is a dot product with constants, which the gradient of the results is; its own
    /// operations are not counted.
    /// </summary>
    public void Record()
    {
        _graph.Renew();
        var losses = new Expression[Results.Length];
        for (int i = 0; i < losses.Length; i++)
        {
            Operands.Begin(i);
            Expression y = Results[i] = _benchmark.Record(Operands);
            if (_benchmark.Then is not null)
                y = _benchmark.Then(y);
            losses[i] = Ops.SumBatches(y.Dim.BatchElementSize == 1 ? y : Ops.DotProduct(y, Weights(y.Dim)));
        }
        _loss = Ops.Sum(losses);
    }

    /// <summary>Forward and backward of what was recorded.</summary>
    public void Backward() => _loss!.Value.Backward();

    /// <summary>From now on updates are timed.</summary>
    public void StartTiming() => _graph.Profiling = true;

    /// <summary>
    /// The nanoseconds that a forward and a backward of all nodes took, as the median of so many updates, by the profile;
    /// null where a phase does nothing. Backward's include the sums of gradients of weights at the end of a pass.
    /// </summary>
    public (double? Forward, double? Backward) StopTiming(int updates)
    {
        string trace = _graph.Profile().Trace;
        _graph.Profiling = false;
        var times = new Dictionary<string, List<double>>();
        // Operations of the same name in the loss have other operands.
        string name = _benchmark.Op + (Operands.First is { } first ? $" {first}" : "");
        foreach (Match match in Event().Matches(trace))
        {
            string phase = match.Groups["phase"].Value;
            if (phase != "parameters" && !IsOf(match.Groups["name"].ValueSpan, name))
                continue;
            if (!times.TryGetValue(phase, out List<double>? all))
                times[phase] = all = [];
            all.Add(double.Parse(match.Groups["time"].ValueSpan, CultureInfo.InvariantCulture) * 1e3);
        }
        return (OfUpdate("forward"), OfUpdate("backward") + (OfUpdate("parameters") ?? 0));

        // Each update has as many batches as the others.
        double? OfUpdate(string phase) => !times.TryGetValue(phase, out List<double>? all)
            ? null
            : Statistics.Median([.. all.Chunk(all.Count / updates).Select(batches => batches.Sum())]);

        static bool IsOf(ReadOnlySpan<char> batch, string name) =>
            batch.StartsWith(name) && (batch.Length == name.Length || batch[name.Length] is ',' or ' ');
    }

    /// <summary>What a node was computed from and gave in the first update, copied.</summary>
    public OpNode Node(int node)
    {
        int operands = Operands.Of(node).Count;
        return new OpNode(
            [.. Operands.Of(node).Select(x => x.AsSpan().ToArray())],
            [.. Enumerable.Range(0, operands).Select(i => Operands.Gradient(node, i).ToArray())],
            Results[node].AsSpan().ToArray(), operands == 0 ? [] : Results[node].Gradient().ToArray());
    }

    /// <summary>Where all that lies: operands, their gradients, result and its gradient; 0 for none.</summary>
    public IEnumerable<nint> Addresses(int node)
    {
        int operands = Operands.Of(node).Count;
        return
        [
            .. Operands.Of(node).Select(x => Address(x.AsSpan())),
            .. Enumerable.Range(0, operands).Select(i => Address(Operands.Gradient(node, i))),
            Address(Results[node].AsSpan()), operands == 0 ? 0 : Address(Results[node].Gradient()),
        ];
    }

    public void Dispose()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    private static unsafe nint Address(ReadOnlySpan<float> memory) =>
        (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory));

    private Expression Weights(Dim dim)
    {
        _weights ??= _model.AddParameters([(int)dim.Size], Initializer.Uniform(0.1, 0.9));
        return Ops.Reshape(_graph.ConstParameter(_weights), dim);
    }

    [GeneratedRegex(
        """dur": (?<time>[0-9.]+), "cat": "(?<phase>forward|backward|parameters)", "name": "(?<name>[^"]*)""")]
    private static partial Regex Event();
}

/// <summary>The numbers of a node and of its gradients.</summary>
internal sealed record OpNode(float[][] Operands, float[][] Gradients, float[] Result, float[] Gradient);
