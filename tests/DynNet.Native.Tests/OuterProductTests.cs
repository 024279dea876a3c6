using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Outer products, which are products with a transpose: each element of one vector with each of another.</summary>
[TestFixture]
public sealed class OuterProductTests : GraphFixture
{
    [Test]
    public void Has_each_product_and_its_gradients()
    {
        Parameter x = _model.AddParameters([3]), y = _model.AddParameters([2]);
        x.SetValues([1, -2, 3]);
        y.SetValues([4, 0.5f]);
        Expression outer = _graph.Parameter(x) * Transpose(_graph.Parameter(y));
        Expression loss = SumElems(CMult(outer, _graph.Input([3, 2], [1, 2, 3, 4, 5, 6])));
        loss.Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outer.Dim, Is.EqualTo(Dim.Of(3, 2)));
            Assert.That(outer.ToArray(), Is.EqualTo([4f, -8, 12, 0.5f, -1, 1.5f]));
            // Of x: the weights times y; of y: their transpose times x.
            Assert.That(x.Gradient.ToArray(), Is.EqualTo([6f, 10.5f, 15]).Within(1e-5));
            Assert.That(y.Gradient.ToArray(), Is.EqualTo([6f, 12]).Within(1e-5));
            Assert.That(GradientCheck.Run(SumElems(Square(outer + 0.5)), _model).Passed, Is.True);
        }
    }

    [Test]
    public void Is_of_each_batch_element()
    {
        Expression x = _graph.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4]);
        Expression y = _graph.Input(Dim.Of(2).WithBatch(2), [5, 6, -7, 8]);
        Expression one = _graph.Input([1, 10]);
        using (Assert.EnterMultipleScope())
        {
            Expression both = x * Transpose(y);
            Assert.That(both.Dim, Is.EqualTo(Dim.Of(2, 2).WithBatch(2)));
            Assert.That(both.ToArray(), Is.EqualTo([5f, 10, 6, 12, -21, -28, 24, 32]));
            Assert.That((x * Transpose(one)).ToArray(), Is.EqualTo([1f, 2, 10, 20, 3, 4, 30, 40]));
            Assert.That((one * Transpose(y)).ToArray(), Is.EqualTo([5f, 50, 6, 60, -7, -70, 8, 80]));
        }
    }

    [Test]
    public void Those_of_many_nodes_run_together()
    {
        Expression[] outers =
        [
            .. Enumerable.Range(1, 16).Select(i => _graph.Input([i, 1, 2]) * Transpose(_graph.Input([1, i]))),
        ];
        float[] sum = Sum(outers).ToArray();
        BatchStats stats = _graph.BatchStats;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(sum, Is.EqualTo([136f, 16, 32, 1496, 136, 272]));
            Assert.That(stats.Batches * 4, Is.LessThan(stats.Nodes), $"{stats}");
        }
    }
}
