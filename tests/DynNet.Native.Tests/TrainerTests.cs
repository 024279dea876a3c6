using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>What all trainers have in common.</summary>
[TestFixture]
public sealed class TrainerTests
{
    private Model _model = null!;
    private Parameter _w = null!;
    private LookupParameter _table = null!;
    private ComputationGraph _graph = null!;

    [SetUp]
    public void MakeModel()
    {
        _model = new Model();
        _w = _model.AddParameters([2], Initializer.FromArray([1, 1]));
        _table = _model.AddLookupParameters(3, [2], Initializer.Constant(1));
        _graph = new ComputationGraph();
    }

    [TearDown]
    public void DisposeModel()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    [Test]
    public void Has_the_defaults_of_dynet()
    {
        using var trainer = new SimpleSgdTrainer(_model);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(trainer.LearningRate, Is.EqualTo(0.1));
            Assert.That(trainer.ClipThreshold, Is.EqualTo(5));
            Assert.That(trainer.SparseUpdates, Is.True);
            Assert.That(trainer.UpdateCount, Is.Zero);
            Assert.That(trainer.ClipCount, Is.Zero);
        }
    }

    [Test]
    public void An_update_uses_the_gradients_up()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1);
        Loss([1, 2]).Backward();
        trainer.Update();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 0, -1 }));
            Assert.That(_w.Gradient.ToArray(), Is.All.Zero);
            Assert.That(trainer.UpdateCount, Is.EqualTo(2));
        }
    }

    [Test]
    public void Learning_rate_can_be_changed()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1);
        trainer.LearningRate = 0.25;
        Loss([1, 2]).Backward();
        trainer.Update();
        Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 0.75f, 0.5f }));
    }

    [Test]
    public void Gradients_over_the_threshold_are_scaled_down_to_it()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1) { ClipThreshold = 0.5 };
        Loss([3, 4]).Backward();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 0.7f, 0.6f }).Within(1e-6));
            Assert.That(trainer.ClipCount, Is.EqualTo(1));
        }
    }

    [Test]
    public void The_norm_is_of_all_gradients_together()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1) { ClipThreshold = 1 };
        (Loss([3, 0]) + DotProduct(_graph.Lookup(_table, 1), _graph.Input([0, 4]))).Backward();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 0.4f, 1 }).Within(1e-6));
            Assert.That(_table.Row(1).ToArray(), Is.EqualTo(new float[] { 1, 0.2f }).Within(1e-6));
        }
    }

    [Test]
    public void Gradients_under_the_threshold_or_without_one_are_left_alone()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1) { ClipThreshold = 0 };
        Loss([300, 400]).Backward();
        trainer.Update();
        Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { -299, -399 }));
        trainer.ClipThreshold = 501;
        Loss([300, 400]).Backward();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { -599, -799 }));
            Assert.That(trainer.ClipCount, Is.Zero);
        }
    }

    [Test]
    public void Sparse_updates_touch_the_rows_that_have_a_gradient()
    {
        using var trainer = new MomentumSgdTrainer(_model, 1, momentum: 0.5);
        SumElems(_graph.Lookup(_table, 0)).Backward();
        trainer.Update();
        SumElems(_graph.Lookup(_table, 1)).Backward();
        trainer.Update();
        Assert.That(_table.Values.ToArray(), Is.EqualTo(new float[] { 0, 0, 0, 0, 1, 1 }));
    }

    [Test]
    public void Dense_updates_touch_all_rows()
    {
        using var trainer = new MomentumSgdTrainer(_model, 1, momentum: 0.5) { SparseUpdates = false };
        SumElems(_graph.Lookup(_table, 0)).Backward();
        trainer.Update();
        SumElems(_graph.Lookup(_table, 1)).Backward();
        trainer.Update();
        Assert.That(_table.Values.ToArray(), Is.EqualTo(new float[] { -0.5f, -0.5f, 0, 0, 1, 1 }));
    }

    [Test]
    public void Gradients_that_are_no_numbers_are_reported_and_nothing_is_updated()
    {
        using var trainer = new SimpleSgdTrainer(_model);
        Loss([float.NaN, 1]).Backward();
        Assert.That(trainer.Update, Throws.TypeOf<NotFiniteNumberException>().With.Message.Contains("/_0"));
        Assert.That(_w.Values.ToArray(), Is.All.EqualTo(1f));
    }

    [Test]
    public void Gradients_that_are_no_numbers_stay_until_they_are_reset()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1);
        using var set = new GradientSet(_model);
        Loss([float.NaN, 1]).Backward(gradients: set);
        Assert.That(() => trainer.Update([set]), Throws.TypeOf<NotFiniteNumberException>());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(set[_w].ToArray(), Is.All.Zero, "added to the model's own");
            Assert.That(_w.Gradient.ToArray(), Is.EqualTo(new float[] { float.NaN, 1 }));
            Assert.That(trainer.Update, Throws.TypeOf<NotFiniteNumberException>(), "they are still there");
            Assert.That(trainer.UpdateCount, Is.Zero);
        }
        _model.ResetGradients();
        Loss([1, 0]).Backward();
        trainer.Update();
        Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { 0, 1 }));
    }

    [Test]
    public void Numbers_out_of_range_are_an_error()
    {
        using var trainer = new SimpleSgdTrainer(_model);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => trainer.LearningRate = -1, Throws.ArgumentException);
            Assert.That(() => trainer.LearningRate = double.NaN, Throws.ArgumentException);
            Assert.That(() => trainer.ClipThreshold = -1, Throws.ArgumentException);
            Assert.That(() => new SimpleSgdTrainer(_model, double.PositiveInfinity), Throws.ArgumentException);
            Assert.That(() => new MomentumSgdTrainer(_model, 0.1, 1), Throws.ArgumentException);
            Assert.That(() => new AdamTrainer(_model, beta1: 1), Throws.ArgumentException);
            Assert.That(() => new AdamTrainer(_model, beta2: -0.1), Throws.ArgumentException);
            Assert.That(() => new AdamTrainer(_model, epsilon: 0), Throws.ArgumentException);
            Assert.That(() => new AdamTrainer(null!), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void Trains_a_subcollection_alone()
    {
        using Model part = _model.AddSubcollection();
        Parameter v = part.AddParameters([2], Initializer.Constant(1));
        using var trainer = new SimpleSgdTrainer(part, 1);
        SumElems(_graph.Parameter(v) + _w).Backward();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(v.Values.ToArray(), Is.All.Zero);
            Assert.That(_w.Values.ToArray(), Is.All.EqualTo(1f));
        }
    }

    [Test]
    public void Parameters_added_later_are_trained_too()
    {
        using var trainer = new AdamTrainer(_model, 0.5);
        Loss([1, 1]).Backward();
        trainer.Update();
        Parameter late = _model.AddParameters([2], Initializer.Constant(1));
        SumElems(_graph.Parameter(late)).Backward();
        trainer.Update();
        Assert.That(late.Values.ToArray(), Is.All.LessThan(0.9f));
    }

    [Test]
    public void Disposed_it_says_so()
    {
        var trainer = new AdamTrainer(_model);
        trainer.Dispose();
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(trainer.Update);
            AssertDisposed(() => trainer.Update([]));
            AssertDisposed(() => _ = trainer.LearningRate);
            AssertDisposed(() => trainer.LearningRate = 1);
            AssertDisposed(() => _ = trainer.ClipThreshold);
            AssertDisposed(() => trainer.ClipThreshold = 1);
            AssertDisposed(() => _ = trainer.SparseUpdates);
            AssertDisposed(() => trainer.SparseUpdates = true);
            AssertDisposed(() => _ = trainer.UpdateCount);
            AssertDisposed(() => _ = trainer.ClipCount);
            Assert.That(trainer.Dispose, Throws.Nothing, "a second time");
        }

        static void AssertDisposed(Action use) =>
            Assert.That(
                () => use(),
                Throws.TypeOf<ObjectDisposedException>().With.Property("ObjectName").Contains("AdamTrainer"));
    }

    /// <summary>A loss whose gradient with respect to w is given.</summary>
    private Expression Loss(float[] gradient) => DotProduct(_w, _graph.Input(gradient));
}
