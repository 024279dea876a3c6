using System.Diagnostics;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// Nanoseconds an element that each operation takes, forward and backward: of {64,256} tensors, {64,64} matrices or what
/// else the operation is for; and what a plain vectorised loop and Eigen take for the same.
/// </summary>
/// <remarks>
/// Ours is what the profile says: all that is done for a batch of the operation's nodes, from finding their rows to the
/// last store, between two readings of the clock, and the sums of gradients at the end of a pass. The references read
/// the clock as often, and do the same work on as many nodes and on the same memory: all results, and all gradients,
/// which are added to those that are there. On both sides a loss is computed between forward and backward, which is not
/// counted, but leaves memory as a network would. There are as many nodes as fit the second cache. They have operands of
/// their own, but for those in a weight position (a left factor, a tensor, filters, a gain, a bias): as in a network
/// these are one parameter for all nodes, and its gradient is the sum over them, on both sides. Updates of ours and of
/// the references take turns, each after a recording. A block's time is the median of its updates, so that what
/// another process took does not count; figures are medians of blocks, ratios medians of what blocks show, to the faster
/// one of the references. Before that, values and gradients of both sides are compared: they must agree to 1e-4 of the
/// largest one; random ones in their first two moments, to six standard errors.
/// </remarks>
internal static class OpsBenchmark
{
    private const double Tolerance = 1e-4;
    private const double MostErrors = 6;
    private const int Sides = 3;
    private const int Blocks = 15;
    // Each side as often after each of them, itself included, since it finds what that one left in the caches.
    private static readonly int[] _turns = [0, 0, 1, 1, 2, 2, 0, 2, 1];
    // In the first update of a block all is cold, in which a network in training is not.
    private const int FewestUpdates = 12;
    private const int MostUpdates = 201;

    /// <summary>A line for each operation, one for those that have no case, and one that sums up.</summary>
    public static string Run(Options options)
    {
        OpBenchmark[] all = [.. OpsBenchmarkCases.All, .. OpsBenchmarkCases.Derived()];
        string[] missing = WithoutCase(all);
        if (missing.Length > 0)
            Console.WriteLine($"{{\"task\": \"ops\", \"without_case\": [\"{string.Join("\", \"", missing)}\"]}}");
        bool compare = OpReferences.AreThere && options.Threads == 1;
        OpBenchmark[] chosen = [.. all.Where(c => options.Op is null || c.Op == options.Op)];
        if (chosen.Length == 0)
            throw new FormatException($"There is no operation {options.Op}.");
        var results = new List<OpResult>();
        foreach (OpBenchmark benchmark in chosen)
        {
            OpResult result = Measure(benchmark, options.Seconds / 50, compare);
            results.Add(result);
            Console.WriteLine(result.Line(options.Threads));
        }
        return compare ? OpResult.Summary(results)
            : OpReferences.AreThere ? """{"task": "ops", "references": "they run on one thread"}"""
            : """{"task": "ops", "references": "not built, since Eigen 3.4 was not found"}""";
    }

    private static OpResult Measure(OpBenchmark benchmark, double seconds, bool compare)
    {
        using var ours = new OpRun(benchmark);
        using OpReferences? references = compare ? Checked(benchmark, ours) : null;
        // The first one is slow: code is compiled, and memory taken.
        Block(ours, references, FewestUpdates);
        var spent = Stopwatch.StartNew();
        Block(ours, references, FewestUpdates);
        double update = spent.Elapsed.TotalSeconds / FewestUpdates;
        // Whole rounds of turns.
        int updates = Math.Clamp((int)(seconds / Blocks / update), FewestUpdates, MostUpdates) / Sides * Sides;
        (double? Forward, double? Backward)[][] blocks =
            [.. Enumerable.Range(0, Blocks + 1).Select(_ => Block(ours, references, updates)).Skip(1)];
        (double? Forward, double? Backward)[][] times =
            [.. Enumerable.Range(0, Sides).Select(side => blocks.Select(b => b[side]).ToArray())];
        double elements = (double)ours.Elements * ours.Results.Length;
        return new OpResult(
            benchmark.Op, ours.Elements, ours.Results.Length, OpFigures.Of(times, t => t.Forward, elements),
            OpFigures.Of(times, t => t.Backward, elements));
    }

    // Updates of each side take turns, and each comes after a recording, so that none finds its code or the memory any
    // more at hand than the others.
    private static (double? Forward, double? Backward)[] Block(OpRun ours, OpReferences? references, int updates)
    {
        ours.StartTiming();
        for (int i = 0; i < updates * Sides; i++)
        {
            int side = _turns[i % _turns.Length];
            ours.Record();
            if (side == 0)
                ours.Backward();
            else
                references?.Update((OpReferences.Side)(side - 1));
        }
        return
        [
            ours.StopTiming(updates),
            .. OpReferences.Sides.Select(side => references?.Times(side) ?? default),
        ];
    }

    /// <summary>The references on our memory, once they have given what ours gave; null if there are none.</summary>
    private static OpReferences? Checked(OpBenchmark benchmark, OpRun ours)
    {
        if (!OpReferences.Has(benchmark.Op))
            return null;
        // Copies, since the references write where ours are.
        OpNode[] nodes = [.. Enumerable.Range(0, ours.Results.Length).Select(ours.Node)];
        var references = new OpReferences(
            benchmark.Op, nodes.Length, [.. nodes[0].Operands.Select(x => (long)x.Length)],
            nodes[0].Result.Length, [.. Enumerable.Range(0, ours.Results.Length).SelectMany(ours.Addresses)]);
        foreach (OpReferences.Side side in OpReferences.Sides)
            Check(benchmark, nodes, references, side);
        return references;
    }

    private static void Check(OpBenchmark benchmark, OpNode[] nodes, OpReferences references, OpReferences.Side side)
    {
        references.ClearGradients();
        references.Update(side);
        (double? forward, double? backward) = references.Times(side);
        for (int i = 0; i < nodes.Length; i++)
        {
            OpNode node = nodes[i];
            string place = $"{benchmark.Op}, {side}, node {i}";
            if (forward is not null && benchmark.Check == OpCheck.Values)
                Compare($"{place}, result", node.Result, references.Result(i));
            if (forward is not null && benchmark.Check == OpCheck.Moments)
                CompareMoments(place, node.Result, references.Result(i));
            for (int k = 0; k < node.Operands.Length && backward is not null; k++)
            {
                float[] theirs = references.Gradient(i, k);
                if (benchmark.Check != OpCheck.Mask)
                {
                    Compare($"{place}, gradient {k}", node.Gradients[k], theirs);
                    continue;
                }
                CheckMask($"{place}, ours", node.Operands[k], node.Result, node.Gradient, node.Gradients[k]);
                CheckMask(place, node.Operands[k], references.Result(i), node.Gradient, theirs);
            }
        }
    }

    private static void Compare(string place, float[] ours, float[] theirs)
    {
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            // Minus infinity is what it is.
            if (ours[i] == theirs[i])
                continue;
            largest = Math.Max(largest, Math.Abs(theirs[i]));
            double off = Math.Abs((double)ours[i] - theirs[i]);
            difference = double.IsNaN(off) ? double.PositiveInfinity : Math.Max(difference, off);
        }
        if (difference > Tolerance * largest)
            throw new InvalidOperationException($"{place}: values differ by {difference}, the largest is {largest}.");
    }

    private static void CompareMoments(string place, float[] ours, float[] theirs)
    {
        for (int order = 1; order <= 2; order++)
        {
            (double mean, double error) = Moment(ours, order);
            (double otherMean, double otherError) = Moment(theirs, order);
            if (!(Math.Abs(mean - otherMean) <= MostErrors * double.Hypot(error, otherError)))
                throw new InvalidOperationException($"{place}: moments {order} are {mean} and {otherMean}.");
        }

        // With its standard error.
        static (double Mean, double Error) Moment(float[] values, int order)
        {
            double sum = 0;
            double squares = 0;
            foreach (float value in values)
            {
                double power = Math.Pow(value, order);
                sum += power;
                squares += power * power;
            }
            double mean = sum / values.Length;
            return (mean, Math.Sqrt((squares / values.Length - mean * mean) / values.Length));
        }
    }

    // All is 0 or doubled, and so is its gradient.
    private static void CheckMask(string place, float[] x, float[] y, float[] dy, float[] dx)
    {
        for (int i = 0; i < x.Length; i++)
        {
            float factor = y[i] == 0 ? 0 : 2;
            if (y[i] != factor * x[i] || dx[i] != factor * dy[i])
                throw new InvalidOperationException($"{place}: element {i} is not dropped or doubled.");
        }
    }

    // The operations of Ops that are neither measured nor said to take no time.
    private static string[] WithoutCase(IEnumerable<OpBenchmark> all) =>
    [
        .. typeof(Ops).GetMethods().Where(m => m.ReturnType == typeof(Expression)).Select(m => m.Name)
            .Except(all.Select(c => c.Method).Concat(OpsBenchmarkCases.Without)).Distinct(),
    ];
}

/// <summary>How results are compared with those of a reference.</summary>
internal enum OpCheck
{
    /// <summary>Number by number.</summary>
    Values,

    /// <summary>Random ones: their first two moments.</summary>
    Moments,

    /// <summary>Dropped or doubled, each side by its own draws.</summary>
    Mask,
}

/// <summary>An operation to measure.</summary>
/// <param name="Op">Its name in the profile, which is that after <c>dn_op_</c>.</param>
/// <param name="Method">Its name in C#.</param>
/// <param name="Record">Records it on some operands.</param>
/// <param name="Check">How its results are compared.</param>
/// <param name="Then">What makes a finite loss of its result, if that is not finite.</param>
internal sealed record OpBenchmark(
    string Op, string Method, Func<Operands, Expression> Record, OpCheck Check = OpCheck.Values,
    Func<Expression, Expression>? Then = null);

/// <summary>
/// Trained operands: weights, which all nodes share, and others, different ones for each node, so that none are found
/// to be equal.
/// </summary>
internal sealed class Operands(Model model, ComputationGraph graph)
{
    private readonly List<List<Parameter>> _parameters = [];
    private readonly List<List<Expression>> _expressions = [];
    private int _node;
    private int _number;

    public ComputationGraph Graph => graph;

    /// <summary>The elements of the largest operand of this node.</summary>
    public long Most { get; private set; }

    /// <summary>The elements of the operands of this node that are its own.</summary>
    public long Own { get; private set; }

    /// <summary>The elements of its operands that all nodes share.</summary>
    public long OfAll { get; private set; }

    /// <summary>The shape of the first operand; null if there is none.</summary>
    public Dim? First { get; private set; }

    /// <summary>{64,256}, values between 0.1 and 0.9, where every function has a value and a gradient.</summary>
    public Expression X => Of([64, 256]);

    /// <summary>{64,256}, values between 1.1 and 1.9.</summary>
    public Expression Above1 => Of([64, 256], Initializer.Uniform(1.1, 1.9));

    /// <summary>{64,64}.</summary>
    public Expression Square => Of([64, 64]);

    /// <summary>{64,64}, with a large diagonal and a positive determinant.</summary>
    public Expression Dominant => Of([64, 64], Initializer.FromArray(
        [.. Enumerable.Range(0, 64 * 64).Select(i => i % 65 == 0 ? 64f : ((i * 31 + _node) % 97) / 97f)]));

    /// <summary>{16384}.</summary>
    public Expression Vector => Of([16384]);

    /// <summary>{64,64} in a batch of 4.</summary>
    public Expression Batch => Batched([64, 64], 4);

    public void Begin(int node)
    {
        _node = node;
        _number = 0;
        Most = 0;
        Own = 0;
        OfAll = 0;
        First = null;
    }

    /// <summary>The operands of a node, as last recorded.</summary>
    public IReadOnlyList<Expression> Of(int node) => node < _expressions.Count ? _expressions[node] : [];

    /// <summary>Where the gradient of an operand was put: a parameter's adds up over updates.</summary>
    public ReadOnlySpan<float> Gradient(int node, int operand)
    {
        Expression x = _expressions[node][operand];
        return x.Dim.Batch > 1 ? x.Gradient() : _parameters[node][operand].Gradient;
    }

    public Expression Of(Dim dim) => Of(dim, Initializer.Uniform(0.1, 0.9));

    /// <summary>A weight.</summary>
    public Expression Shared(Dim dim)
    {
        OfAll += dim.Size;
        return Note(Take(dim, Initializer.Uniform(0.1, 0.9), shared: true));
    }

    public Expression Batched(Dim dim, int batch)
    {
        long size = dim.Size * batch;
        Own += size;
        Expression all = Take([(int)size], Initializer.Uniform(0.1, 0.9));
        return Note(Ops.Reshape(all, dim.WithBatch(batch)));
    }

    private Expression Of(Dim dim, Initializer initializer)
    {
        Own += dim.Size;
        return Note(Take(dim, initializer));
    }

    private Expression Take(Dim dim, Initializer initializer, bool shared = false)
    {
        while (_parameters.Count <= _node)
        {
            _parameters.Add([]);
            _expressions.Add([]);
        }
        List<Parameter> own = _parameters[_node];
        // What is shared is the first node's.
        if (own.Count == _number)
            own.Add(shared && _node > 0 ? _parameters[0][_number] : model.AddParameters(dim, initializer));
        return graph.Parameter(own[_number++]);
    }

    private Expression Note(Expression operand)
    {
        if (_number == 1)
        {
            _expressions[_node].Clear();
            First = operand.Dim;
        }
        _expressions[_node].Add(operand);
        Most = Math.Max(Most, operand.Dim.Size);
        return operand;
    }
}
