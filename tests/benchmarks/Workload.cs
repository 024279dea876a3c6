using System.Diagnostics;
using System.Runtime.InteropServices;
using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>What is measured in steps, each of which takes a number of examples.</summary>
internal abstract class Workload(string unit) : IDisposable
{
    /// <summary>What is counted.</summary>
    public string Unit { get; } = unit;

    public static Workload Create(Options options) => options.Network switch
    {
        "treelstm" => new TreeWorkload(options, (model, words) => TreeLstm.Create(options.Style, model, words)),
        "tagger" => new TaggerWorkload(options, characters: false),
        "tagger-chars" => new TaggerWorkload(options, characters: true),
        "lm" => new LanguageModelWorkload(options),
        "pronounce" => new PronounceWorkload(options),
        "recurrent" or "tree-cell" when options.Style != Style.Ops =>
            throw new FormatException($"{options.Network} is made from elementary operations only."),
        "recurrent" => new RecurrentWorkload(options),
        "tree-cell" => new TreeWorkload(options, (model, words) => new TreeGru(model, words)),
        _ => throw new FormatException($"There is no task '{options.Network}'."),
    };

    /// <summary>How fast it is, once the program is warm.</summary>
    public abstract Speed Measure(double seconds);

    /// <summary>Where the time goes of computing graphs, once the program is warm.</summary>
    public abstract GraphProfile Profile(double seconds);

    public abstract void Dispose();
}

/// <summary>What was done in a second.</summary>
/// <param name="Units">What the workload counts.</param>
/// <param name="Flops">The floating-point operations of matrix products, as the network asks for them.</param>
internal readonly record struct Speed(double Units, double Flops);

/// <summary>
/// A network and the examples that it learns from. Each step takes the next few examples, and computes the sum of their
/// losses, or makes an update with it.
/// </summary>
internal abstract class Workload<TExample> : Workload
{
    private readonly ComputationGraph _graph = new(Options.Seed);
    private readonly Random _random = new(Options.Seed);
    private readonly List<Expression> _losses = [];
    private readonly Options _options;
    private readonly TExample[] _examples;
    private AdamTrainer? _trainer;
    private int _next;

    protected Workload(Options options, TExample[] examples, string unit)
        : base(unit)
    {
        _options = options;
        _examples = examples;
        _next = examples.Length;
    }

    protected Model Model { get; } = new(Options.Seed);

    public override void Dispose()
    {
        _trainer?.Dispose();
        _graph.Dispose();
        Model.Dispose();
    }

    public override Speed Measure(double seconds)
    {
        WarmUp(seconds);
        return Run(seconds);
    }

    public override GraphProfile Profile(double seconds)
    {
        WarmUp(seconds);
        _graph.Profiling = true;
        Run(seconds);
        return _graph.Profile();
    }

    /// <summary>Records what the examples of a graph have in common: the parameters.</summary>
    protected abstract void Begin(ComputationGraph graph);

    /// <summary>Records an example, adds its losses to the list, and tells how many units it counts for.</summary>
    protected abstract int Record(ComputationGraph graph, TExample example, List<Expression> losses);

    /// <summary>The floating-point operations of the matrix products of an example, forward.</summary>
    protected abstract long Flops(TExample example);

    // Memory has grown and all is compiled after some steps, of which the first are slow.
    private void WarmUp(double seconds) => Run(Math.Min(1, seconds));

    private Speed Run(double seconds)
    {
        long units = 0;
        long flops = 0;
        long start = Stopwatch.GetTimestamp();
        double elapsed;
        do
        {
            units += Step(ref flops);
            elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        while (elapsed < seconds);
        return new Speed(units / elapsed, flops / elapsed);
    }

    private int Step(ref long flops)
    {
        _graph.Renew();
        _losses.Clear();
        Begin(_graph);
        int units = 0;
        long forward = 0;
        for (int i = 0; i < _options.Batch; i++)
        {
            TExample example = Next();
            units += Record(_graph, example, _losses);
            forward += Flops(example);
        }
        Expression loss = Sum(CollectionsMarshal.AsSpan(_losses));

        // Reading the loss makes sure that it is computed, in either mode.
        if (!float.IsFinite(loss.ScalarValue()))
            throw new InvalidOperationException("The loss is not finite.");
        flops += forward;
        if (_options.Mode == Mode.Train)
        {
            // The gradient of each of a product's factors takes as many operations as the product.
            flops += 2 * forward;
            loss.Backward();
            // Not made earlier: the network's parameters come after this class's constructor.
            _trainer ??= new AdamTrainer(Model) { ClipThreshold = 0, SparseUpdates = true };
            _trainer.Update();
        }
        return units;
    }

    private TExample Next()
    {
        if (_next == _examples.Length)
        {
            _random.Shuffle(_examples);
            _next = 0;
        }
        return _examples[_next++];
    }
}
