using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Values and gradients scaled, clipped, zeroed and measured, and parameters found by their paths.</summary>
[TestFixture]
public sealed class ModelScalingTests
{
    private Model _model = null!;
    private Parameter _w = null!;
    private LookupParameter _table = null!;
    private ComputationGraph _graph = null!;

    [SetUp]
    public void MakeModel()
    {
        _model = new Model();
        _w = _model.AddParameters([2], Initializer.FromArray([3, -4]), "W");
        _table = _model.AddLookupParameters(2, [1], Initializer.FromArray([0, 12]), "E");
        _graph = new ComputationGraph();
    }

    [TearDown]
    public void DisposeModel()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    [Test]
    public void Gradients_have_a_norm_and_can_be_scaled()
    {
        (DotProduct(_w, _graph.Input([3, 0])) + 4 * SumElems(_graph.Lookup(_table, 1))).Backward();
        Assert.That(_model.GradientNorm, Is.EqualTo(5));
        _model.ScaleGradients(2);
        _w.ScaleGradient(0.5);
        _table.ScaleGradient(-1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Gradient.ToArray(), Is.EqualTo(new float[] { 3, 0 }));
            Assert.That(_table.RowGradient(1), Is.EqualTo(new float[] { -8 }));
            Assert.That(() => _model.ScaleGradients(double.NaN), Throws.ArgumentException);
            Assert.That(() => _w.ScaleGradient(double.NaN), Throws.ArgumentException);
            Assert.That(() => _table.ScaleGradient(double.NaN), Throws.ArgumentException);
        }
    }

    [Test]
    public void Values_can_be_scaled()
    {
        _model.ScaleValues(2);
        _w.Scale(0.5);
        _table.Scale(-1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 3, -4 }));
            Assert.That(_table.Values.ToArray(), Is.EqualTo(new float[] { 0, -24 }));
            Assert.That(() => _model.ScaleValues(double.NaN), Throws.ArgumentException);
            Assert.That(() => _w.Scale(double.NaN), Throws.ArgumentException);
            Assert.That(() => _table.Scale(double.NaN), Throws.ArgumentException);
        }
    }

    [Test]
    public void Weights_are_projected_to_a_radius()
    {
        _model.ProjectWeights(26);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 6, -8 }).Within(1e-5));
            Assert.That(_table.Values.ToArray(), Is.EqualTo(new float[] { 0, 24 }).Within(1e-5));
            Assert.That(() => _model.ProjectWeights(0), Throws.ArgumentException);
        }
        _model.ScaleValues(0);
        Assert.That(() => _model.ProjectWeights(), Throws.InvalidOperationException);
    }

    [Test]
    public void Values_can_be_clipped_and_zeroed()
    {
        DotProduct(_w, _graph.Input([1, 1])).Backward();
        _w.Clip(-1, 2);
        _table.Clip(1, double.PositiveInfinity);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 2, -1 }));
            Assert.That(_table.Values.ToArray(), Is.EqualTo(new float[] { 1, 12 }));
            Assert.That(() => _w.Clip(1, 0), Throws.ArgumentException);
            Assert.That(() => _table.Clip(1, 0), Throws.ArgumentException);
        }
        _w.Zero();
        _table.Zero();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.All.Zero);
            Assert.That(_w.Gradient.ToArray(), Is.All.Zero);
            Assert.That(_table.Values.ToArray(), Is.All.Zero);
        }
    }

    [Test]
    public void A_change_shows_in_graphs_that_are_made_after_it()
    {
        Assert.That(SumElems(_graph.Parameter(_w)).ScalarValue(), Is.EqualTo(-1));
        _w.Scale(3);
        _graph.Renew();
        Assert.That(SumElems(_graph.Parameter(_w)).ScalarValue(), Is.EqualTo(-3));
    }

    [Test]
    public void Parameters_are_looked_for_by_path()
    {
        using Model part = _model.AddSubcollection("part");
        Parameter inner = part.AddParameters([1], name: "V");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_model.TryGetParameter("/W", out Parameter? found), Is.True);
            Assert.That(found, Is.EqualTo(_w));
            Assert.That(part.TryGetParameter("V", out found), Is.True);
            Assert.That(found, Is.EqualTo(inner));
            Assert.That(_model.TryGetParameter("E", out found), Is.False, "it is a table");
            Assert.That(found, Is.Null);
            Assert.That(_model.TryGetLookupParameter("E", out LookupParameter? table), Is.True);
            Assert.That(table, Is.EqualTo(_table));
            Assert.That(part.TryGetLookupParameter("E", out table), Is.False);
            Assert.That(table, Is.Null);
            Assert.That(() => _model.TryGetParameter("", out _), Throws.ArgumentException);
        }
    }

    [Test]
    public void Disposed_it_says_so()
    {
        _model.Dispose();
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(() => _ = _model.UpdatedValueCount);
            AssertDisposed(() => _ = _model.GradientNorm);
            AssertDisposed(() => _model.ScaleGradients(1));
            AssertDisposed(() => _model.ScaleValues(1));
            AssertDisposed(() => _model.ProjectWeights());
            AssertDisposed(() => _model.SetUpdated(true));
            AssertDisposed(() => _model.TryGetParameter("/W", out _));
            AssertDisposed(() => _model.TryGetLookupParameter("/E", out _));
            AssertDisposed(() => _ = _w.IsUpdated);
            AssertDisposed(() => _w.IsUpdated = true);
            AssertDisposed(_w.Zero);
            AssertDisposed(() => _w.Clip(0, 1));
            AssertDisposed(() => _w.Scale(1));
            AssertDisposed(() => _w.ScaleGradient(1));
            AssertDisposed(() => _ = _table.IsUpdated);
            AssertDisposed(() => _table.IsUpdated = true);
            AssertDisposed(_table.Zero);
            AssertDisposed(() => _table.Clip(0, 1));
            AssertDisposed(() => _table.Scale(1));
            AssertDisposed(() => _table.ScaleGradient(1));
        }

        static void AssertDisposed(Action use) => Assert.That(() => use(), Throws.TypeOf<ObjectDisposedException>());
    }
}
