using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>
/// Automatic batching: exact counts for graphs whose batches are known, and values that do not depend on it.
/// </summary>
[TestFixture]
public sealed class BatchingTests : GraphFixture
{
    [Test]
    public void Independent_nodes_of_one_type_are_one_batch()
    {
        Expression[] ys = [.. Enumerable.Range(0, 10).Select(i => Tanh(_graph.Input([i, -i])))];
        Sum(ys).Forward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_graph.BatchStats, Is.EqualTo(new BatchStats(Nodes: 11, Batches: 2, BatchedNodes: 10)));
            Assert.That(ys[3].ToArray(), Is.EqualTo(new[] { MathF.Tanh(3), MathF.Tanh(-3) }).Within(1e-6));
        }
    }

    [Test]
    public void Products_with_one_weight_are_one_batch()
    {
        Parameter w = _model.AddParameters([3, 2]);
        Expression[] ys = [.. Enumerable.Range(0, 7).Select(i => w * _graph.Input([i, 1]))];
        Sum(ys).Forward();
        Assert.That(_graph.BatchStats, Is.EqualTo(new BatchStats(Nodes: 8, Batches: 2, BatchedNodes: 7)));
    }

    [Test]
    public void Different_types_are_different_batches()
    {
        Expression x = _graph.Input([1, 2]);
        Expression y = _graph.Input([1, 2, 3]);
        Expression all = Sum(
            SumElems(Tanh(x)), SumElems(Tanh(y)), SumElems(Logistic(x)));
        all.Forward();
        BatchStats stats = _graph.BatchStats;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(stats.Nodes, Is.EqualTo(7));
            // Two tanh of different shapes, one logistic, the sums over {2} together, that over {3}, the sum of all.
            Assert.That(stats.Batches, Is.EqualTo(6));
            Assert.That(stats.BatchedNodes, Is.EqualTo(2));
        }
    }

    [Test]
    public void A_chain_cannot_be_batched()
    {
        Expression x = _graph.Input([1, 2]);
        Parameter w = _model.AddParameters([2, 2]);
        for (int i = 0; i < 5; i++)
            x = w * x;
        x.Forward();
        Assert.That(_graph.BatchStats, Is.EqualTo(new BatchStats(Nodes: 5, Batches: 5, BatchedNodes: 0)));
    }

    [Test]
    public void Chains_of_different_length_run_side_by_side()
    {
        Parameter w = _model.AddParameters([2, 2]);
        var ends = new List<Expression>();
        for (int length = 1; length <= 4; length++)
        {
            Expression x = _graph.Input([length, 1]);
            for (int i = 0; i < length; i++)
                x = w * x;
            ends.Add(x);
        }
        Sum(ends).Forward();
        // Products: 4, 3, 2 and 1 at a time.
        Assert.That(_graph.BatchStats, Is.EqualTo(new BatchStats(Nodes: 11, Batches: 5, BatchedNodes: 9)));
    }

    [Test]
    public void Off_every_node_runs_alone()
    {
        _graph.Batching = false;
        Expression[] ys = [.. Enumerable.Range(0, 10).Select(i => Tanh(_graph.Input([i, -i])))];
        Sum(ys).Forward();
        Assert.That(_graph.BatchStats, Is.EqualTo(new BatchStats(Nodes: 11, Batches: 11, BatchedNodes: 0)));
    }

    [Test]
    public void Labels_rows_and_picks_are_no_reason_not_to_batch()
    {
        LookupParameter table = _model.AddLookupParameters(9, [4]);
        Expression[] losses =
            [.. Enumerable.Range(0, 8).Select(i => PickNegLogSoftmax(_graph.Lookup(table, i), i % 4))];
        Sum(losses).Forward();
        Assert.That(_graph.BatchStats.BatchedNodes, Is.GreaterThanOrEqualTo(8));
        Assert.That(_graph.BatchStats.Batches, Is.LessThanOrEqualTo(3));
    }

    [Test]
    public void The_report_tells_what_ran_together()
    {
        Parameter w = _model.AddParameters([3, 2]);
        Expression[] ys = [.. Enumerable.Range(0, 7).Select(i => Tanh(w * _graph.Input([i, 1])))];
        Sum(ys).Forward();
        string report = _graph.BatchingReport();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report, Does.Contain("tanh").And.Contain("7"));
            Assert.That(report.Split('\n'), Has.Length.GreaterThan(2));
        }
    }

    [Test]
    public void Values_and_gradients_are_the_same_bits_batched_or_not()
    {
        VanillaLstmBuilder lstm = new(_model, 2, 5, 7);
        LookupParameter table = _model.AddLookupParameters(20, [5]);
        Parameter readout = _model.AddParameters([4, 7]);

        (float[] Losses, float Total) Run(bool batching)
        {
            using var graph = new ComputationGraph { Batching = batching };
            var losses = new List<Expression>();
            for (int sentence = 0; sentence < 6; sentence++)
            {
                LstmState state = lstm.InitialState(graph);
                for (int i = 0; i <= sentence; i++)
                    state = state.AddInput(graph.Lookup(table, (7 * sentence + 3 * i) % 20));
                losses.Add(PickNegLogSoftmax(readout * state.Output, sentence % 4));
            }
            Expression total = Sum(losses);
            float value = total.ScalarValue();
            if (batching)
                Assert.That(2 * graph.BatchStats.BatchedNodes, Is.GreaterThan(graph.BatchStats.Nodes));
            return ([.. losses.Select(loss => loss.ScalarValue())], value);
        }

        (float[] batched, float total) = Run(batching: true);
        (float[] unbatched, float sum) = Run(batching: false);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(batched, Is.EqualTo(unbatched));
            Assert.That(total, Is.EqualTo(sum));
        }
        lstm.Dispose();
    }

    [Test]
    public void Values_are_the_same_bits_for_any_number_of_threads()
    {
        Parameter w = _model.AddParameters([256, 128]);
        LookupParameter table = _model.AddLookupParameters(64, [128]);

        float[] Run(int threads)
        {
            Device.Cpu.Threads = threads;
            using var graph = new ComputationGraph();
            Expression[] ys = [.. Enumerable.Range(0, 64).Select(i => Tanh(w * graph.Lookup(table, i)))];
            Expression loss = SumElems(Square(Sum(ys)));
            _model.ResetGradients();
            loss.Backward();
            return [loss.ScalarValue(), .. w.Gradient];
        }

        int before = Device.Cpu.Threads;
        try
        {
            float[] expected = Run(1);
            Assert.That(Run(2), Is.EqualTo(expected));
            Assert.That(Run(4), Is.EqualTo(expected));
        }
        finally
        {
            Device.Cpu.Threads = before;
        }
    }
}
