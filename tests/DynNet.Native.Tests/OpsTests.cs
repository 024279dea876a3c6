namespace DynNet.Native.Tests;

/// <summary>Operations: their values, their shape errors, and their overloads.</summary>
[TestFixture]
public sealed class OpsTests
{
    private ComputationGraph _graph = null!;

    [SetUp]
    public void MakeGraph() => _graph = new ComputationGraph();

    [TearDown]
    public void DisposeGraph() => _graph.Dispose();

    [TestCaseSource(typeof(OpCases), nameof(OpCases.Right))]
    public void Gives_its_value(object row)
    {
        var op = (OpCase)row;
        Expression result = op.Call(_graph);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Dim, Is.EqualTo(op.Dim), op.Method);
            Assert.That(result.ToArray(), Is.EqualTo(op.Value).Within(1e-6), op.Method);
        }
    }

    [TestCaseSource(typeof(OpCases), nameof(OpCases.Right))]
    public void Gives_the_same_bits_at_once_and_unbatched(object row)
    {
        var op = (OpCase)row;
        float[] expected = op.Call(_graph).ToArray();
        using var immediate = new ComputationGraph { Immediate = true };
        using var unbatched = new ComputationGraph { Batching = false };
        using (Assert.EnterMultipleScope())
        {
            Assert.That(op.Call(immediate).ToArray(), Is.EqualTo(expected), "immediate");
            Assert.That(op.Call(unbatched).ToArray(), Is.EqualTo(expected), "not batched");
        }
    }

    [TestCaseSource(typeof(OpCases), nameof(OpCases.Wrong))]
    public void Refuses_wrong_operands_where_it_is_called(object row)
    {
        var op = (OpMisuse)row;
        Exception? thrown = Assert.Catch(() => op.Call(_graph));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(thrown, Is.InstanceOf(op.Exception), op.Method);
            foreach (string part in op.InMessage)
                Assert.That(thrown!.Message, Does.Contain(part), op.Method);
        }
    }

    [TestCaseSource(typeof(OpCases), nameof(OpCases.Wrong))]
    public void A_refused_operation_leaves_the_graph_usable(object row)
    {
        Expression x = _graph.Input([1, 2]) + 1;
        Assert.That(() => ((OpMisuse)row).Call(_graph), Throws.Exception);
        Assert.That((x * 2).ToArray(), Is.EqualTo(new float[] { 4, 6 }));
    }

    [Test]
    public void Any_number_of_operands_may_come_as_any_sequence()
    {
        Expression x = _graph.Input([1, 2]);
        Expression[] array = [x, x, x];
        List<Expression> list = [x, x, x];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Ops.Sum(x, x, x).ToArray(), Is.EqualTo(new float[] { 3, 6 }));
            Assert.That(Ops.Sum([x, x, x]).ToArray(), Is.EqualTo(new float[] { 3, 6 }));
            Assert.That(Ops.Sum(array).ToArray(), Is.EqualTo(new float[] { 3, 6 }));
            Assert.That(Ops.Sum(list).ToArray(), Is.EqualTo(new float[] { 3, 6 }));
            Assert.That(Ops.Sum(Enumerable.Repeat(x, 3)).ToArray(), Is.EqualTo(new float[] { 3, 6 }));
            Assert.That(Ops.Average(Enumerable.Repeat(x, 3)).ToArray(), Is.EqualTo(new float[] { 1, 2 }).Within(1e-6));
            Assert.That(Ops.Concatenate(Enumerable.Repeat(x, 2)).Dim, Is.EqualTo(Dim.Of(4)));
            Assert.That(Ops.Concatenate(Enumerable.Repeat(x, 2), dim: 1).Dim, Is.EqualTo(Dim.Of(2, 2)));
            Assert.That(Ops.ConcatenateCols(Enumerable.Repeat(x, 2)).Dim, Is.EqualTo(Dim.Of(2, 2)));
            Assert.That(Ops.ConcatenateToBatch(list).Dim, Is.EqualTo(Dim.Of(2).WithBatch(3)));
            Assert.That(() => Ops.Sum(Enumerable.Empty<Expression>()), Throws.ArgumentException);
            Assert.That(() => Ops.Sum((IEnumerable<Expression>)null!), Throws.ArgumentNullException);
        }
    }

    [TestCase(64)]
    [TestCase(65)]
    [TestCase(1000)]
    public void Operands_may_be_many(int count)
    {
        Expression x = _graph.Input([1, 2]);
        Expression sum = Ops.Sum(Enumerable.Repeat(x, count));
        Assert.That(sum.ToArray(), Is.EqualTo(new float[] { count, 2 * count }));
    }

    [Test]
    public void Dropout_scales_what_it_keeps()
    {
        Expression ones = _graph.Constant([10000], 1);
        float[] dropped = Ops.Dropout(ones, 0.25).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dropped.Distinct(), Is.EquivalentTo(new[] { 0f, 1 / 0.75f }));
            Assert.That(dropped.Count(v => v == 0), Is.EqualTo(2500).Within(200));
        }
    }
}
