using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Graphs: what is recorded, taken back, and checked.</summary>
[TestFixture]
public sealed class ComputationGraphTests
{
    private ComputationGraph _graph = null!;

    [SetUp]
    public void MakeGraph() => _graph = new ComputationGraph();

    [TearDown]
    public void DisposeGraph() => _graph.Dispose();

    [Test]
    public void A_new_graph_is_empty_and_has_its_defaults()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_graph.NodeCount, Is.Zero);
            Assert.That(_graph.Batching, Is.True);
            Assert.That(_graph.Immediate, Is.False);
            Assert.That(_graph.CheckValues, Is.False);
            Assert.That(_graph.BatchStats, Is.EqualTo(new BatchStats(0, 0, 0)));
        }
    }

    [Test]
    public void Records_one_node_for_an_operation()
    {
        Expression x = _graph.Input([1, 2]);
        Expression y = Tanh(x);
        _ = x + y;
        Assert.That(_graph.NodeCount, Is.EqualTo(3));
    }

    [Test]
    public void Inputs_are_copied()
    {
        float[] values = [1, 2];
        Expression vector = _graph.Input(values);
        Expression matrix = _graph.Input([1, 2], values);
        values[0] = 99;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(vector.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
            Assert.That(matrix.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
        }
    }

    [Test]
    public void Renewed_it_is_as_new()
    {
        Expression x = _graph.Input([1, 2]);
        _ = (x * 3).ToArray();
        _graph.Renew();
        Assert.That(_graph.NodeCount, Is.Zero);
        Assert.That((_graph.Input([4, 5]) * 3).ToArray(), Is.EqualTo(new float[] { 12, 15 }));
    }

    [Test]
    public void Renewal_keeps_the_settings()
    {
        _graph.Immediate = true;
        _graph.CheckValues = true;
        _graph.Batching = false;
        _graph.Renew();
        Assert.That(
            () => Log(_graph.Input(0.0)), Throws.TypeOf<NotFiniteNumberException>(), "checked, and at once");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_graph.Immediate, Is.True);
            Assert.That(_graph.CheckValues, Is.True);
            Assert.That(_graph.Batching, Is.False);
        }
    }

    [Test]
    public void Revert_takes_back_what_came_after_the_checkpoint()
    {
        Expression x = _graph.Input([1, 2]);
        Expression kept = x * 2;
        _graph.Checkpoint();
        Expression lost = kept + 1;
        Assert.That(lost.ToArray(), Is.EqualTo(new float[] { 3, 5 }));
        _graph.Revert();
        Expression instead = kept + 2;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_graph.NodeCount, Is.EqualTo(3));
            Assert.That(instead.ToArray(), Is.EqualTo(new float[] { 4, 6 }));
            Assert.That(kept.ToArray(), Is.EqualTo(new float[] { 2, 4 }));
            Assert.That(() => lost.ToArray(), Throws.TypeOf<StaleExpressionException>(), "kept past the revert");
            Assert.That(() => lost + kept, Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => lost.Dim, Throws.TypeOf<StaleExpressionException>());
        }
    }

    [Test]
    public void A_reverted_node_is_stale_even_when_its_number_is_used_again()
    {
        Expression x = _graph.Input([1, 2]);
        _graph.Checkpoint();
        Expression lost = x * 2;
        _graph.Revert();
        Expression successor = x * 3;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(successor.ToNative().Node, Is.EqualTo(lost.ToNative().Node));
            Assert.That(() => Tanh(lost), Throws.TypeOf<StaleExpressionException>());
            Assert.That(successor.ToArray(), Is.EqualTo(new float[] { 3, 6 }));
        }
    }

    [Test]
    public void Checkpoints_nest()
    {
        Expression x = _graph.Input([1, 2]);
        _graph.Checkpoint();
        Expression one = x + 1;
        _graph.Checkpoint();
        Expression two = one + 1;
        _graph.Revert();
        Assert.That(one.ToArray(), Is.EqualTo(new float[] { 2, 3 }));
        Assert.That(() => two.ToArray(), Throws.TypeOf<StaleExpressionException>());
        _graph.Revert();
        Assert.That(() => one.ToArray(), Throws.TypeOf<StaleExpressionException>());
        Assert.That(x.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
        Assert.That(_graph.Revert, Throws.InvalidOperationException, "used up");
    }

    [Test]
    public void Revert_without_a_checkpoint_is_an_error()
    {
        Assert.That(_graph.Revert, Throws.InvalidOperationException);
        _graph.Checkpoint();
        _graph.Renew();
        Assert.That(_graph.Revert, Throws.InvalidOperationException, "a renewal forgets checkpoints");
    }

    [Test]
    public void A_parameter_first_used_after_a_checkpoint_can_be_used_again_after_the_revert()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.Constant(2));
        Expression x = _graph.Input([1, 2]);
        _graph.Checkpoint();
        _ = (w + x).ToArray();
        _graph.Revert();
        Assert.That((w + x).ToArray(), Is.EqualTo(new float[] { 3, 4 }));
    }

    [Test]
    public void Branches_from_one_checkpoint_give_what_straight_graphs_give()
    {
        Expression state = _graph.Input([0.5f, -0.5f]);
        for (int step = 0; step < 5; step++)
        {
            float[] best = [];
            for (int branch = 0; branch < 3; branch++)
            {
                _graph.Checkpoint();
                best = Tanh(state * (branch + 1)).ToArray();
                _graph.Revert();
            }
            Expression next = Tanh(state * 3);
            Assert.That(next.ToArray(), Is.EqualTo(best));
            state = next;
        }
    }

    [Test]
    public void Immediate_mode_points_at_the_operation()
    {
        _graph.Immediate = true;
        _graph.CheckValues = true;
        Expression x = _graph.Input([0, 1]);
        Assert.That(
            () => Log(x),
            Throws.TypeOf<NotFiniteNumberException>().With.Message.Contains("log").IgnoreCase);
        Assert.That((x + 1).ToArray(), Is.EqualTo(new float[] { 1, 2 }));
    }

    [Test]
    public void Checked_values_are_reported_with_their_operation()
    {
        _graph.CheckValues = true;
        Expression infinite = Log(_graph.Input([0, 1]));
        using var other = new ComputationGraph { CheckValues = true };
        Expression nan = Sqrt(other.Input([-1, 1]));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => SumElems(Tanh(infinite)).ScalarValue(),
                Throws.TypeOf<NotFiniteNumberException>().With.Message.Contains("log").IgnoreCase);
            Assert.That(
                () => nan.ToArray(),
                Throws.TypeOf<NotFiniteNumberException>().With.Message.Contains("sqrt").IgnoreCase);
        }
    }

    [Test]
    public void Unchecked_values_are_what_arithmetic_gives()
    {
        float[] values = Log(_graph.Input([0, -1])).ToArray();
        Assert.That(values, Is.EqualTo(new[] { float.NegativeInfinity, float.NaN }));
    }

    [Test]
    public void One_seed_draws_the_same_numbers_and_another_seed_others()
    {
        static float[] Draw(long seed)
        {
            using var graph = new ComputationGraph(seed);
            return Dropout(graph.Constant([100], 1), 0.5).ToArray();
        }

        using (Assert.EnterMultipleScope())
        {
            float[] first = Draw(3);
            Assert.That(Draw(3), Is.EqualTo(first));
            Assert.That(Draw(4), Is.Not.EqualTo(first));
        }
    }

    [Test]
    public void Two_dropouts_of_a_graph_differ_and_a_forward_draws_anew()
    {
        Expression ones = _graph.Constant([100], 1);
        Expression first = Dropout(ones, 0.5);
        Expression second = Dropout(ones, 0.5);
        float[] before = first.ToArray();
        Assert.That(second.ToArray(), Is.Not.EqualTo(before));
        first.Forward();
        Assert.That(first.ToArray(), Is.Not.EqualTo(before));
    }

    [Test]
    public void Its_memory_grows_on_demand_and_what_was_computed_stays_where_it_is()
    {
        Expression first = _graph.Input([1, 2, 3]) * 2;
        ReadOnlySpan<float> early = first.AsSpan();
        Expression last = first;
        for (int i = 0; i < 20_000; i++)
            last = last + 1.0;
        last.IncrementalForward();
        _ = _graph.Constant([1000, 1000], 1) + 1.0;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(early.ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
            Assert.That(last.ToArray(), Is.EqualTo(new float[] { 20002, 20004, 20006 }));
        }
    }

    [Test]
    public void Every_member_of_a_disposed_graph_says_so()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2]);
        LookupParameter e = model.AddLookupParameters(2, [2]);
        _graph.Dispose();
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(() => _ = _graph.NodeCount);
            AssertDisposed(() => _ = _graph.BatchStats);
            AssertDisposed(() => _graph.Immediate = true);
            AssertDisposed(() => _graph.CheckValues = true);
            AssertDisposed(() => _graph.Batching = false);
            AssertDisposed(() => _graph.Input(1.0));
            AssertDisposed(() => _graph.Input([1, 2]));
            AssertDisposed(() => _graph.Input([2], [1, 2]));
            AssertDisposed(() => _graph.Constant([2], 1));
            AssertDisposed(() => _graph.Parameter(w));
            AssertDisposed(() => _graph.Lookup(e, 0));
            AssertDisposed(() => _graph.Renew());
            AssertDisposed(() => _graph.Checkpoint());
            AssertDisposed(() => _graph.Revert());
            AssertDisposed(() => _graph.BatchingReport());
            Assert.That(_graph.Dispose, Throws.Nothing, "a second time");
        }

        static void AssertDisposed(Action use) =>
            Assert.That(
                () => use(),
                Throws.TypeOf<ObjectDisposedException>().With.Property("ObjectName").Contains("ComputationGraph"));
    }
}
