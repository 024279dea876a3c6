using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Operations allocate nothing on the managed heap once they have run before.</summary>
[TestFixture]
[NonParallelizable]
public sealed class AllocationTests
{
    private Model _model = null!;
    private ComputationGraph _graph = null!;
    private Parameter _w = null!;
    private LookupParameter _table = null!;

    [SetUp]
    public void MakeGraph()
    {
        _model = new Model();
        _graph = new ComputationGraph();
        _w = _model.AddParameters([4, 4]);
        _table = _model.AddLookupParameters(10, [4]);
    }

    [TearDown]
    public void DisposeGraph()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    [Test]
    public void Every_operation_is_recorded_without_allocating()
    {
        float[] four = [1, 2, 3, 4];
        AssertNoAllocation(() =>
        {
            Expression x = _graph.Input(four);
            Expression y = _graph.Input([4], four);
            Expression batch = _graph.Lookup(_table, [1, 2, 3]);
            Expression row = _graph.Lookup(_table, 1);
            x = Tanh(_w * x + y - row);
            x = 0.5 * x + 1 - x / 2 - 3;
            x = -x / y;
            x = 1 / (2 - x);
            x = AffineTransform(x, _w, y, _w, row);
            x = Sum(x, y, row, y) + Average([x, y]);
            x = Concatenate(x, y);
            x = Reshape(PickRange(x, 0, 4), [2, 2]) * _graph.Constant([2], 1);
            x = Concatenate([x, x], 0) + Pick(batch, [0, 1, 0], 0);
            x = CMult(Logistic(Rectify(x)), CDiv(Exp(x), Square(x)));
            _ = PickNegLogSoftmax(x, 1) + Hinge(row, 2) + SquaredDistance(x, y) + DotProduct(Softmax(x), LogSoftmax(y));
            _ = PickNegLogSoftmax(x, [0, 1, 2]) + Pick(x, 1);
            _ = SumElems(SumBatches(x)) + BinaryLogLoss(Logistic(x), Logistic(y));
            _ = Dropout(Transpose(x), 0.5);
            _ = _graph.NodeCount;
            _ = x.Dim;
        });
    }

    [Test]
    public void Computing_and_reading_allocate_nothing()
    {
        float[] four = [1, 2, 3, 4];
        float[] copy = new float[4];
        using var trainer = new AdamTrainer(_model);
        using var set = new GradientSet(_model);
        AssertNoAllocation(() =>
        {
            Expression x = _graph.Input(four);
            Expression y = Tanh(_w * x + _graph.Lookup(_table, 3));
            Expression loss = SquaredDistance(y, x);
            _ = loss.ScalarValue();
            y.CopyTo(copy);
            _ = y.AsSpan().Length + y.AsTensorSpan().Rank;
            x.SetInput(4, 3, 2, 1);
            loss.Forward();
            loss.Backward();
            _ = y.Gradient().Length;
            _ = _w.Gradient.Length + _w.Values.Length + _table.Row(3).Length;
            trainer.Update();
            loss.Backward(full: true, set);
            _ = set[_w].Length;
            trainer.Update([set]);
            _ = _graph.BatchStats;
            _graph.Checkpoint();
            _ = Tanh(y);
            _graph.Revert();
        });
    }

    [Test]
    public void Steps_of_an_lstm_allocate_nothing()
    {
        using var lstm = new VanillaLstmBuilder(_model, 2, 4, 3);
        AssertNoAllocation(() =>
        {
            LstmState state = lstm.InitialState(_graph);
            for (int i = 0; i < 10; i++)
                state = state.AddInput(_graph.Lookup(_table, i));
            _ = state.Output + state.C(1) + state.H(0);
        });
    }

    [Test]
    public void Steps_of_other_builders_allocate_nothing()
    {
        using var simple = new SimpleRnnBuilder(_model, 2, 4, 3);
        using var gru = new GruBuilder(_model, 2, 4, 3);
        using var coupled = new CoupledLstmBuilder(_model, 2, 4, 3);
        using var compact = new CompactVanillaLstmBuilder(_model, 2, 4, 3);
        using var normalized = new VanillaLstmBuilder(_model, 2, 4, 3, layerNorm: true);
        gru.SetDropout(0.5);
        compact.SetDropout(0.5);
        RnnBuilder[] builders = [simple, gru, coupled, compact, normalized];
        AssertNoAllocation(() =>
        {
            foreach (RnnBuilder builder in builders)
            {
                RnnState state = builder.InitialState(_graph);
                for (int i = 0; i < 10; i++)
                    state = state.AddInput(_graph.Lookup(_table, i));
                _ = state.Output + state.H(0) + state.SetH(state.H(1), state.H(0)).Output;
            }
        });
    }

    private void AssertNoAllocation(Action record)
    {
        for (int i = 0; i < 100; i++)
            Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            Run();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero, "bytes in 100 runs");

        void Run()
        {
            _graph.Renew();
            record();
        }
    }
}
