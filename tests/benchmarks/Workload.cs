using System.Diagnostics;
using System.Runtime.InteropServices;
using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// A network and the examples that it learns from. Each step takes the next few examples, and computes the sum of their
/// losses, or makes an update with it.
/// </summary>
internal abstract class Workload<TExample> : IDisposable
{
    private readonly ComputationGraph _graph = new(Options.Seed);
    private readonly Random _random = new(Options.Seed);
    private readonly List<Expression> _losses = [];
    private readonly Options _options;
    private readonly TExample[] _examples;
    private AdamTrainer? _trainer;
    private int _next;

    protected Workload(Options options, TExample[] examples, string unit)
    {
        _options = options;
        _examples = examples;
        _next = examples.Length;
        Unit = unit;
    }

    public string Unit { get; }

    protected Model Model { get; } = new(Options.Seed);

    public void Dispose()
    {
        _trainer?.Dispose();
        _graph.Dispose();
        Model.Dispose();
    }

    /// <summary>How many units a second, once the program is warm.</summary>
    public double Measure(double seconds)
    {
        // Memory has grown and all is compiled after some steps, of which the first are slow.
        Run(Math.Min(1, seconds));
        return Run(seconds);
    }

    /// <summary>Records what the examples of a graph have in common: the parameters.</summary>
    protected abstract void Begin(ComputationGraph graph);

    /// <summary>Records an example, adds its losses to the list, and tells how many units it counts for.</summary>
    protected abstract int Record(ComputationGraph graph, TExample example, List<Expression> losses);

    private double Run(double seconds)
    {
        long units = 0;
        long start = Stopwatch.GetTimestamp();
        double elapsed;
        do
        {
            units += Step();
            elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        while (elapsed < seconds);
        return units / elapsed;
    }

    private int Step()
    {
        _graph.Renew();
        _losses.Clear();
        Begin(_graph);
        int units = 0;
        for (int i = 0; i < _options.Batch; i++)
            units += Record(_graph, Next(), _losses);
        Expression loss = Sum(CollectionsMarshal.AsSpan(_losses));

        // Reading the loss makes sure that it is computed, in either mode.
        if (!float.IsFinite(loss.ScalarValue()))
            throw new InvalidOperationException("The loss is not finite.");
        if (_options.Mode == Mode.Train)
        {
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
