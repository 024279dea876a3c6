using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// Nanoseconds an element that each operation takes, forward and backward: of {64,256} tensors, {64,64} matrices or what
/// else the operation is for, a few nodes in one batch, by the profile.
/// </summary>
internal static partial class OpsBenchmark
{
    private const int Nodes = 8;

    /// <summary>A line for each operation.</summary>
    public static string Run(Options options)
    {
        CheckComplete();
        double seconds = options.Seconds / 50;
        return string.Join('\n', OpsBenchmarkCases.All.Select(c => Measure(c, seconds, options.Threads)));
    }

    private static string Measure(OpBenchmark benchmark, double seconds, int threads)
    {
        using var model = new Model(Options.Seed);
        using var graph = new ComputationGraph(Options.Seed);
        var operands = new Operands(model, graph);
        long elements = 0;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < seconds / 4;)
            elements = Update();
        graph.Profiling = true;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < seconds;)
            Update();
        string profile = graph.Profile().Text;
        string forward = Figure("forward");
        string backward = Figure("backward");
        return FormattableString.Invariant(
            $"{{\"task\": \"ops\", \"op\": \"{benchmark.Op}\", \"elements\": {elements}, \"threads\": {threads}, ")
            + $"\"forward_ns\": {forward}, \"backward_ns\": {backward}}}";

        // The elements of one node's largest operand or result.
        long Update()
        {
            graph.Renew();
            var losses = new Expression[Nodes];
            long most = 0;
            for (int i = 0; i < Nodes; i++)
            {
                operands.Begin(i);
                Expression y = benchmark.Record(operands);
                most = Math.Max(operands.Most, y.Dim.Size);
                losses[i] = Ops.SumBatches(Ops.SumElems(y));
            }
            Ops.Sum(losses).Backward();
            return most;
        }

        // null where a phase does nothing: a view, or an operation without a gradient.
        string Figure(string phase)
        {
            double milliseconds = 0;
            long nodes = 0;
            foreach (Match match in Line().Matches(profile))
            {
                if (match.Groups["phase"].Value != phase || match.Groups["op"].Value != benchmark.Op)
                    continue;
                milliseconds += double.Parse(match.Groups["time"].Value, CultureInfo.InvariantCulture);
                nodes += long.Parse(match.Groups["nodes"].Value, CultureInfo.InvariantCulture);
            }
            return nodes == 0
                ? "null"
                : (milliseconds * 1e6 / nodes / elements).ToString("0.####", CultureInfo.InvariantCulture);
        }
    }

    // Every operation of Ops and of the graph is measured, or said to take no time.
    private static void CheckComplete()
    {
        var measured = OpsBenchmarkCases.All.Select(c => c.Method).Concat(OpsBenchmarkCases.Without).ToHashSet();
        string[] missing =
        [
            .. typeof(Ops).GetMethods().Where(m => m.ReturnType == typeof(Expression)).Select(m => m.Name)
                .Except(measured).Distinct(),
        ];
        if (missing.Length > 0)
            throw new InvalidOperationException($"The benchmark of operations lacks {string.Join(", ", missing)}.");
    }

    [GeneratedRegex(
        @"^ *(?<time>[0-9.]+) +[0-9.]+% +\d+ +(?<nodes>\d+) +\d+ +(?<phase>forward|backward) (?<op>\w+)(?= |\r?$)",
        RegexOptions.Multiline)]
    private static partial Regex Line();
}

/// <summary>An operation to measure.</summary>
/// <param name="Op">Its name in the profile, which is that after <c>dn_op_</c>.</param>
/// <param name="Method">Its name in C#.</param>
/// <param name="Record">Records it on some operands.</param>
internal sealed record OpBenchmark(string Op, string Method, Func<Operands, Expression> Record);

/// <summary>Trained operands, different ones for each node, so that none are found to be equal.</summary>
internal sealed class Operands(Model model, ComputationGraph graph)
{
    private readonly Dictionary<(int Node, int Number), Parameter> _parameters = [];
    private int _node;
    private int _number;

    public ComputationGraph Graph => graph;

    /// <summary>The elements of the largest operand of this node.</summary>
    public long Most { get; private set; }

    /// <summary>{64,256}, values between 0.1 and 0.9, where every function has a value and a gradient.</summary>
    public Expression X => Of([64, 256]);

    /// <summary>{64,64}.</summary>
    public Expression Square => Of([64, 64]);

    /// <summary>{16384}.</summary>
    public Expression Vector => Of([16384]);

    /// <summary>{64,64} in a batch of 4.</summary>
    public Expression Batch => Ops.Reshape(Of([64, 256]), Dim.Of(64, 64).WithBatch(4));

    public void Begin(int node)
    {
        _node = node;
        _number = 0;
        Most = 0;
    }

    public Expression Of(Dim dim)
    {
        (int, int) key = (_node, _number++);
        if (!_parameters.TryGetValue(key, out Parameter? parameter))
            _parameters[key] = parameter = model.AddParameters(dim, Initializer.Uniform(0.1, 0.9));
        Most = Math.Max(Most, dim.Size);
        return graph.Parameter(parameter);
    }
}
