using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Gradient sets: gradients apart from the model's own.</summary>
[TestFixture]
public sealed class GradientSetTests
{
    private Model _model = null!;
    private Parameter _w = null!;
    private LookupParameter _table = null!;

    [SetUp]
    public void MakeModel()
    {
        _model = new Model();
        _w = _model.AddParameters([2], Initializer.FromArray([2, 3]), "w");
        _table = _model.AddLookupParameters(3, [2], Initializer.Constant(1));
    }

    [TearDown]
    public void DisposeModel() => _model.Dispose();

    [Test]
    public void Takes_gradients_and_leaves_the_models_own_alone()
    {
        using var set = new GradientSet(_model);
        using var graph = new ComputationGraph();
        DotProduct(_w, graph.Input([5, 7])).Backward(gradients: set);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(set[_w].ToArray(), Is.EqualTo(new float[] { 5, 7 }));
            Assert.That(_w.Gradient.ToArray(), Is.All.Zero);
        }
    }

    [Test]
    public void Of_a_sub_collection_takes_the_gradients_of_the_whole_model()
    {
        Model part = _model.AddSubcollection("part");
        Parameter inner = part.AddParameters([2], Initializer.FromArray([5, 7]));
        using var set = new GradientSet(part);
        using var graph = new ComputationGraph();
        DotProduct(_w, graph.Parameter(inner)).Backward(gradients: set);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(set.GradientToArray(_w), Is.EqualTo(new float[] { 5, 7 }));
            Assert.That(set.GradientToArray(inner), Is.EqualTo(new float[] { 2, 3 }));
            Assert.That(_w.GradientToArray(), Is.All.Zero);
            Assert.That(inner.GradientToArray(), Is.All.Zero);
        }
        using var trainer = new SimpleSgdTrainer(_model, 1) { ClipThreshold = 0 };
        trainer.Update([set]);
        Assert.That(_w.ToArray(), Is.EqualTo(new float[] { 2 - 5, 3 - 7 }));
    }

    [Test]
    public void Gives_copies_of_gradients()
    {
        using var set = new GradientSet(_model);
        using var graph = new ComputationGraph();
        DotProduct(_w, graph.Input([5, 7])).Backward(gradients: set);
        float[] copy = set.GradientToArray(_w);
        set.Reset();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(copy, Is.EqualTo(new float[] { 5, 7 }));
            Assert.That(set.GradientToArray(_w), Is.All.Zero);
            Assert.That(() => set.GradientToArray(null!), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void Is_zeros_at_first_and_after_a_reset()
    {
        using var set = new GradientSet(_model);
        Assert.That(set[_w].ToArray(), Is.EqualTo(new float[2]));
        using var graph = new ComputationGraph();
        DotProduct(_w, graph.Lookup(_table, 1)).Backward(gradients: set);
        set.Reset();
        Assert.That(set[_w].ToArray(), Is.EqualTo(new float[2]));
    }

    [Test]
    public void An_update_from_sets_is_one_from_their_sum_and_resets_them()
    {
        using var one = new GradientSet(_model);
        using var two = new GradientSet(_model);
        using var graph = new ComputationGraph();
        DotProduct(_w, graph.Input([1, 2])).Backward(gradients: one);
        DotProduct(_w, graph.Input([10, 20])).Backward(gradients: two);
        DotProduct(graph.Lookup(_table, 1), graph.Input([1, 2])).Backward(gradients: two);
        using var trainer = new SimpleSgdTrainer(_model, 1) { ClipThreshold = 0 };
        trainer.Update([one, two]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 2 - 11, 3 - 22 }));
            Assert.That(_table.Values.ToArray(), Is.EqualTo(new float[] { 1, 1, 0, -1, 1, 1 }));
            Assert.That(one[_w].ToArray(), Is.All.Zero);
            Assert.That(two[_w].ToArray(), Is.All.Zero);
            Assert.That(_w.Gradient.ToArray(), Is.All.Zero);
        }
    }

    [Test]
    public void Of_another_model_is_an_error()
    {
        using var other = new Model();
        Parameter foreign = other.AddParameters([2], name: "foreign");
        LookupParameter foreignTable = other.AddLookupParameters(1, [2], name: "table");
        using var foreignSet = new GradientSet(other);
        using var set = new GradientSet(_model);
        using var trainer = new SimpleSgdTrainer(_model);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => set[foreign].Length, Throws.ArgumentException.With.Message.Contains("/foreign"));
            Assert.That(
                () => set.RowGradient(foreignTable, 0), Throws.ArgumentException.With.Message.Contains("/table"));
            Assert.That(() => trainer.Update([set, foreignSet]), Throws.ArgumentException);
            Assert.That(() => trainer.Update([set, null!]), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void In_a_graph_of_two_models_it_takes_the_gradients_of_its_own()
    {
        using var other = new Model();
        Parameter v = other.AddParameters([2], Initializer.FromArray([5, 7]));
        using var set = new GradientSet(_model);
        using var graph = new ComputationGraph();
        DotProduct(_w, graph.Parameter(v)).Backward(gradients: set);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(set[_w].ToArray(), Is.EqualTo(new float[] { 5, 7 }));
            Assert.That(_w.Gradient.ToArray(), Is.All.Zero);
            Assert.That(v.Gradient.ToArray(), Is.EqualTo(new float[] { 2, 3 }));
        }
    }

    [Test]
    public void Of_a_model_that_the_expression_does_not_depend_on_is_an_error()
    {
        using var other = new Model();
        Parameter v = other.AddParameters([2], Initializer.FromArray([5, 7]));
        using var set = new GradientSet(_model);
        using var graph = new ComputationGraph();
        Expression mine = SumElems(graph.Parameter(_w));
        Expression foreign = SumElems(graph.Parameter(v));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => foreign.Backward(gradients: set), Throws.ArgumentException);
            Assert.That(v.Gradient.ToArray(), Is.All.Zero);
            Assert.That(() => mine.Backward(gradients: set), Throws.Nothing);
            Assert.That(
                () => SumElems(graph.Input([1, 2])).Backward(gradients: set), Throws.Nothing, "no parameter at all");
        }
    }

    [Test]
    public void Shows_the_rows_of_tables()
    {
        using var set = new GradientSet(_model);
        using var graph = new ComputationGraph();
        DotProduct(graph.Lookup(_table, 1), graph.Input([5, 7])).Backward(gradients: set);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(set.RowGradient(_table, 1), Is.EqualTo(new float[] { 5, 7 }));
            Assert.That(set.RowGradient(_table, 0), Is.EqualTo(new float[2]));
            Assert.That(_table.RowGradient(1), Is.All.Zero, "the model's own");
            Assert.That(() => set.RowGradient(_table, 3), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => set.RowGradient(_table, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => set.RowGradient(null!, 0), Throws.ArgumentNullException);
        }
        set.Reset();
        Assert.That(set.RowGradient(_table, 1), Is.All.Zero);
    }

    [Test]
    public void Disposed_it_says_so()
    {
        var set = new GradientSet(_model);
        using var trainer = new SimpleSgdTrainer(_model);
        using var graph = new ComputationGraph();
        Expression loss = SumElems(graph.Parameter(_w));
        set.Dispose();
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(() => _ = set[_w].Length);
            AssertDisposed(() => set.GradientToArray(_w));
            AssertDisposed(() => set.RowGradient(_table, 0));
            AssertDisposed(set.Reset);
            AssertDisposed(() => loss.Backward(gradients: set));
            AssertDisposed(() => trainer.Update([set]));
            Assert.That(set.Dispose, Throws.Nothing, "a second time");
        }

        static void AssertDisposed(Action use) =>
            Assert.That(
                () => use(),
                Throws.TypeOf<ObjectDisposedException>().With.Property("ObjectName").Contains("GradientSet"));
    }
}
