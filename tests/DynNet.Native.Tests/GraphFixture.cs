namespace DynNet.Native.Tests;

/// <summary>Tests that have a new model and a new graph each.</summary>
/// <param name="seed">The graph's, if random numbers are to be the same each time.</param>
public abstract class GraphFixture(long? seed)
{
    private protected Model _model = null!;
    private protected ComputationGraph _graph = null!;

    private protected GraphFixture()
        : this(seed: null)
    {
    }

    [SetUp]
    public void MakeGraph()
    {
        _model = new Model();
        _graph = new ComputationGraph(seed);
    }

    [TearDown]
    public void DisposeGraph()
    {
        _graph.Dispose();
        _model.Dispose();
    }
}
