namespace DynNet.Native.Tests;

/// <summary>Lookup tables: rows by index, and their sparse gradients.</summary>
[TestFixture]
public sealed class LookupParameterTests
{
    private Model _model = null!;
    private LookupParameter _table = null!;

    [SetUp]
    public void MakeTable()
    {
        _model = new Model();
        _table = _model.AddLookupParameters(4, [2], Initializer.FromArray([0, 1, 10, 11, 20, 21, 30, 31]), "E");
    }

    [TearDown]
    public void DisposeModel() => _model.Dispose();

    [Test]
    public void Says_its_name_and_shape()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_table.Name, Is.EqualTo("/E"));
            Assert.That(_table.Dim, Is.EqualTo(Dim.Of(2)));
            Assert.That(_table.Rows, Is.EqualTo(4));
            Assert.That(_table.ToString(), Is.EqualTo("/E 4 x {2}"));
        }
    }

    [Test]
    public void Copies_of_values_stay_as_they_were()
    {
        float[] all = _table.ToArray(), row = _table.RowToArray(2);
        _table.Zero();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(all, Is.EqualTo(new float[] { 0, 1, 10, 11, 20, 21, 30, 31 }));
            Assert.That(row, Is.EqualTo(new float[] { 20, 21 }));
            Assert.That(() => _table.RowToArray(4), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => _table.RowToArray(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }

    [Test]
    public void Gives_one_row_or_one_for_each_batch_element()
    {
        using var graph = new ComputationGraph();
        Expression one = graph.Lookup(_table, 2);
        Expression batch = graph.Lookup(_table, [3, 0, 3]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(one.ToArray(), Is.EqualTo(new float[] { 20, 21 }));
            Assert.That(batch.Dim, Is.EqualTo(Dim.Of(2).WithBatch(3)));
            Assert.That(batch.ToArray(), Is.EqualTo(new float[] { 30, 31, 0, 1, 30, 31 }));
            Assert.That(graph.ConstLookup(_table, 1).ToArray(), Is.EqualTo(new float[] { 10, 11 }));
            Assert.That(graph.ConstLookup(_table, [1, 2]).ToArray(), Is.EqualTo(new float[] { 10, 11, 20, 21 }));
        }
    }

    [Test]
    public void Rows_may_be_matrices()
    {
        LookupParameter matrices = _model.AddLookupParameters(2, [2, 3], Initializer.Constant(1));
        matrices.SetRow(1, [1, 2, 3, 4, 5, 6]);
        using var graph = new ComputationGraph();
        Expression x = graph.Lookup(matrices, 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(x.Dim, Is.EqualTo(Dim.Of(2, 3)));
            Assert.That((x * graph.Input([1, 0, 0])).ToArray(), Is.EqualTo(new float[] { 1, 2 }));
        }
    }

    [TestCase(-1)]
    [TestCase(4)]
    [TestCase(int.MinValue)]
    public void A_row_that_does_not_exist_is_an_error(int row)
    {
        using var graph = new ComputationGraph();
        using (Assert.EnterMultipleScope())
        {
            AssertOutOfRange(() => graph.Lookup(_table, row));
            AssertOutOfRange(() => graph.Lookup(_table, [0, row]));
            AssertOutOfRange(() => graph.ConstLookup(_table, row));
            AssertOutOfRange(() => graph.ConstLookup(_table, [row, 0]));
            AssertOutOfRange(() => _ = _table.Row(row).Length);
            AssertOutOfRange(() => _table.SetRow(row, [1, 2]));
            AssertOutOfRange(() => _table.RowGradient(row));
            Assert.That(graph.NodeCount, Is.Zero, "nothing was recorded");
        }

        static void AssertOutOfRange(Action use) =>
            Assert.That(() => use(), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("/E"));
    }

    [Test]
    public void A_batch_of_no_rows_is_an_error()
    {
        using var graph = new ComputationGraph();
        Assert.That(() => graph.Lookup(_table, []), Throws.ArgumentException);
    }

    [Test]
    public void Values_can_be_read_and_replaced()
    {
        _table.SetRow(1, [5, 6]);
        Assert.That(_table.Values.ToArray(), Is.EqualTo(new float[] { 0, 1, 5, 6, 20, 21, 30, 31 }));
        _table.SetValues([7, 6, 5, 4, 3, 2, 1, 0]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_table.Row(3).ToArray(), Is.EqualTo(new float[] { 1, 0 }));
            Assert.That(() => _table.SetValues([1]), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => _table.SetRow(0, [1]), Throws.TypeOf<ShapeMismatchException>());
        }
    }

    [Test]
    public void Gradients_are_summed_by_row()
    {
        using var graph = new ComputationGraph();
        Expression x = graph.Lookup(_table, [2, 0, 2]);
        Expression y = graph.Lookup(_table, 2);
        Expression constant = graph.ConstLookup(_table, 1);
        Expression loss = Ops.SumBatches(Ops.DotProduct(x, graph.Input([1, 10])));
        loss = loss + Ops.SumElems(y) + Ops.SumElems(constant);
        loss.Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_table.RowGradient(0), Is.EqualTo(new float[] { 1, 10 }));
            Assert.That(_table.RowGradient(1), Is.EqualTo(new float[] { 0, 0 }));
            Assert.That(_table.RowGradient(2), Is.EqualTo(new float[] { 3, 21 }));
            Assert.That(_table.RowGradient(3), Is.EqualTo(new float[] { 0, 0 }));
        }
    }

    [Test]
    public void Of_a_disposed_model_is_an_error_everywhere()
    {
        _model.Dispose();
        using var graph = new ComputationGraph();
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(() => _ = _table.Values.Length);
            AssertDisposed(() => _ = _table.Row(0).Length);
            AssertDisposed(() => _table.ToArray());
            AssertDisposed(() => _table.RowToArray(0));
            AssertDisposed(() => _table.SetValues(new float[8]));
            AssertDisposed(() => _table.SetRow(0, [1, 2]));
            AssertDisposed(() => _table.RowGradient(0));
            AssertDisposed(() => graph.Lookup(_table, 0));
            AssertDisposed(() => graph.Lookup(_table, [0]));
            AssertDisposed(() => graph.ConstLookup(_table, 0));
        }

        static void AssertDisposed(Action use) =>
            Assert.That(() => use(), Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Model"));
    }

    [Test]
    public void Two_objects_for_one_table_are_equal()
    {
        LookupParameter again = _model.GetLookupParameter("/E");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(again.Equals(_table), Is.True);
            Assert.That(again.GetHashCode(), Is.EqualTo(_table.GetHashCode()));
            Assert.That(again.Equals((object?)null), Is.False);
        }
    }
}
