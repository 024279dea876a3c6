using System.Text;
using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>What trainers count, remember, keep beside the values, and write to files.</summary>
[TestFixture]
public sealed class TrainerStateTests
{
    private Model _model = null!;
    private Parameter _w = null!;
    private LookupParameter _table = null!;
    private ComputationGraph _graph = null!;

    [SetUp]
    public void MakeModel()
    {
        _model = new Model();
        _w = _model.AddParameters([2], Initializer.Constant(0), "W");
        _table = _model.AddLookupParameters(2, [2], Initializer.Constant(0), "E");
        _graph = new ComputationGraph();
    }

    [TearDown]
    public void DisposeModel()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    [Test]
    public void Gradients_are_clipped_by_element()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1) { ClipValue = 0.5 };
        Loss([3, -0.25f]).Backward();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(trainer.ClipValue, Is.EqualTo(0.5));
            Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { -0.5f, 0.25f }));
            Assert.That(trainer.ClipCount, Is.EqualTo(1));
            Assert.That(() => trainer.ClipValue = -1, Throws.ArgumentException);
        }
    }

    [Test]
    public void The_status_counts_since_it_was_read()
    {
        using var trainer = new SimpleSgdTrainer(_model, 0.5);
        Loss([300, 400]).Backward();
        trainer.Update();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(trainer.ToString(), Is.EqualTo("SimpleSgdTrainer [lr=0.5 clips=1 updates=2]"));
            Assert.That(trainer.ReadStatus(), Is.EqualTo(new TrainerStatus(0.5, 1, 2)));
            Assert.That(trainer.ReadStatus(), Is.EqualTo(new TrainerStatus(0.5, 0, 0)));
            // As an ostream of C++ prints these rates.
            Assert.That(new TrainerStatus(1e-5, 1, 2).ToString(), Is.EqualTo("[lr=1e-05 clips=1 updates=2]"));
            Assert.That(new TrainerStatus(1.0 / 3, 0, 0).ToString(), Is.EqualTo("[lr=0.333333 clips=0 updates=0]"));
            Assert.That(new TrainerStatus(0.0001, 0, 0).ToString(), Is.EqualTo("[lr=0.0001 clips=0 updates=0]"));
            Assert.That(new TrainerStatus(2.5e6, 0, 0).ToString(), Is.EqualTo("[lr=2.5e+06 clips=0 updates=0]"));
            Assert.That(trainer.UpdateCount, Is.EqualTo(2));
        }
        trainer.Dispose();
        Assert.That(trainer.ToString(), Is.EqualTo("SimpleSgdTrainer"));
    }

    [Test]
    public void A_restart_forgets_moments_and_steps()
    {
        using var trainer = new MomentumSgdTrainer(_model, 1, 0.5);
        Loss([1, 1]).Backward();
        trainer.Update();
        Assert.That(trainer.StepCount, Is.EqualTo(1));
        trainer.Restart();
        trainer.Update();
        Assert.That(_w.Values.ToArray(), Is.All.EqualTo(-1f), "the velocity is forgotten");
        trainer.Restart(0.25);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(trainer.LearningRate, Is.EqualTo(0.25));
            Assert.That(trainer.StepCount, Is.Zero);
            Assert.That(trainer.UpdateCount, Is.EqualTo(2));
            Assert.That(() => trainer.Restart(-1), Throws.ArgumentException);
        }
    }

    [Test]
    public void A_schedule_sets_the_rate_of_each_update()
    {
        using var trainer = new SimpleSgdTrainer(_model) { Schedule = LearningRateSchedule.Step(1, 0.5, 1) };
        for (int i = 0; i < 3; i++)
        {
            Loss([1, 0]).Backward();
            trainer.Update();
        }
        Assert.That(_w.Values[0], Is.EqualTo(-1.75f));
        Assert.That(trainer.LearningRate, Is.EqualTo(0.25));
        trainer.Restart();
        Loss([1, 0]).Backward();
        trainer.UpdateSubset([_w]);
        Assert.That(_w.Values[0], Is.EqualTo(-2.75f), "from the beginning");
        trainer.Schedule = null;
        trainer.LearningRate = 2;
        Loss([1, 0]).Backward();
        trainer.Update([]);
        Assert.That(_w.Values[0], Is.EqualTo(-4.75f));
    }

    [Test]
    public void A_subset_is_updated_alone()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1);
        (Loss([1, 2]) + SumElems(_graph.Lookup(_table, 1))).Backward();
        trainer.UpdateSubset([], [_table]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.Values.ToArray(), Is.All.Zero);
            Assert.That(_w.Gradient.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
            Assert.That(_table.Values.ToArray(), Is.EqualTo(new float[] { 0, 0, -1, -1 }));
        }
        trainer.UpdateSubset([_w]);
        Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { -1, -2 }));
    }

    [Test]
    public void A_subset_is_of_the_trainers_model()
    {
        using var other = new Model();
        Parameter foreign = other.AddParameters([2], name: "X");
        using var trainer = new SimpleSgdTrainer(_model, 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => trainer.UpdateSubset([foreign]), Throws.ArgumentException.With.Message.Contains("/X"));
            Assert.That(() => trainer.UpdateSubset([null!]), Throws.ArgumentNullException);
            Assert.That(() => trainer.UpdateSubset([], [null!]), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void Frozen_parameters_stay()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1);
        _w.IsUpdated = false;
        _table.IsUpdated = false;
        (Loss([1, 2]) + SumElems(_graph.Lookup(_table, 1))).Backward();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_w.IsUpdated, Is.False);
            Assert.That(_table.IsUpdated, Is.False);
            Assert.That(_model.UpdatedValueCount, Is.Zero);
            Assert.That(_w.Values.ToArray(), Is.All.Zero);
            Assert.That(_table.Values.ToArray(), Is.All.Zero);
            Assert.That(_w.Gradient.ToArray(), Is.EqualTo(new float[] { 1, 2 }), "it stays");
        }
        _model.SetUpdated(true);
        Assert.That(_model.UpdatedValueCount, Is.EqualTo(6));
        trainer.Update();
        Assert.That(_w.Values.ToArray(), Is.EqualTo(new float[] { -1, -2 }));
    }

    [Test]
    public void The_mean_of_the_values_can_take_their_place()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1);
        Assert.That(trainer.MovingAverage, Is.EqualTo(MovingAverage.None));
        trainer.UseCumulativeMovingAverage();
        Climb(trainer, 3);
        trainer.SwapToMovingAverage();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(trainer.MovingAverage, Is.EqualTo(MovingAverage.Cumulative));
            Assert.That(trainer.IsSwappedToMovingAverage, Is.True);
            Assert.That(_w.Values[0], Is.EqualTo(2).Within(1e-6));
        }
        trainer.SwapToWeights();
        Assert.That(_w.Values[0], Is.EqualTo(3f));
        Assert.That(trainer.IsSwappedToMovingAverage, Is.False);
    }

    [Test]
    public void An_exponential_average_can_be_corrected()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1);
        trainer.UseExponentialMovingAverage(0.5, every: 2);
        Climb(trainer, 3);
        trainer.SwapToMovingAverage(biasCorrection: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(trainer.MovingAverage, Is.EqualTo(MovingAverage.Exponential));
            Assert.That(_w.Values[0], Is.EqualTo((0.25 * 1 + 0.5 * 3) / 0.75).Within(1e-6));
        }
    }

    [Test]
    public void Averages_have_their_order()
    {
        using var trainer = new SimpleSgdTrainer(_model, 1);
        Assert.That(() => trainer.SwapToMovingAverage(), Throws.InvalidOperationException);
        Assert.That(() => trainer.UseCumulativeMovingAverage(0), Throws.ArgumentException);
        Assert.That(() => trainer.UseExponentialMovingAverage(1), Throws.ArgumentException);
        trainer.UseCumulativeMovingAverage();
        Climb(trainer, 1);
        Assert.That(() => trainer.UseExponentialMovingAverage(0.5), Throws.InvalidOperationException);
        trainer.SwapToMovingAverage(saveWeights: false);
        Assert.That(trainer.SwapToWeights, Throws.InvalidOperationException);
        Assert.That(trainer.Update, Throws.InvalidOperationException);
    }

    [Test]
    public void Training_goes_on_from_files_with_the_same_bits()
    {
        string folder = Directory.CreateTempSubdirectory("dynnet-tests-").FullName;
        try
        {
            string file = Path.Combine(folder, "trainer");
            using var trainer = new AdamTrainer(_model, 0.1);
            Climb(trainer, 3);
            trainer.Save(file);
            using var stream = new MemoryStream();
            trainer.Save(stream);
            Assert.That(stream.ToArray(), Is.EqualTo(File.ReadAllBytes(file)), "the same bytes");
            _model.Save(Path.Combine(folder, "model"));

            using Model loaded = Model.Load(Path.Combine(folder, "model"));
            using var second = new AdamTrainer(loaded);
            second.Populate(file);
            stream.Position = 0;
            second.Populate(stream);
            Parameter w = loaded["W"];
            using var graph = new ComputationGraph();
            for (int i = 0; i < 5; i++)
            {
                Climb(trainer, 1);
                graph.Renew();
                DotProduct(w, graph.Input([-1, 0])).Backward();
                second.Update();
                Assert.That(w.Values.ToArray(), Is.EqualTo(_w.Values.ToArray()), $"update {i}");
            }
            Assert.That(second.UpdateCount, Is.EqualTo(8));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void A_state_of_another_kind_or_model_says_what_differs()
    {
        using var trainer = new AdamTrainer(_model);
        using var stream = new MemoryStream();
        trainer.Save(stream);
        using var other = new Model();
        other.AddParameters([3], name: "W");
        using var stranger = new AdamTrainer(other);
        using var sgd = new SimpleSgdTrainer(_model);
        using (Assert.EnterMultipleScope())
        {
            stream.Position = 0;
            Assert.That(
                () => stranger.Populate(stream),
                Throws.TypeOf<ModelFormatException>().With.Message.Contains("/W {2}").And.Message.Contains("/W {3}"));
            stream.Position = 0;
            Assert.That(
                () => sgd.Populate(stream),
                Throws.TypeOf<ModelFormatException>().With.Message.Contains("adam").And.Message.Contains("simple_sgd"));
            using var nonsense = new MemoryStream(Encoding.UTF8.GetBytes("nonsense\n"));
            Assert.That(() => sgd.Populate(nonsense), Throws.TypeOf<ModelFormatException>());
            Assert.That(() => sgd.Populate("/nowhere/at/all"), Throws.TypeOf<FileNotFoundException>());
            Assert.That(() => sgd.Save("/nowhere/at/all"), Throws.TypeOf<DirectoryNotFoundException>());
        }
    }

    [Test]
    public void What_a_stream_throws_is_passed_on()
    {
        using var trainer = new AdamTrainer(_model);
        using var closed = new MemoryStream();
        closed.Dispose();
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        using var stream = new MemoryStream();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => trainer.Save(closed), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(
                () => trainer.Save(stream, cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
        }
    }

    [Test]
    public void Disposed_it_says_so()
    {
        var trainer = new AdamTrainer(_model);
        trainer.Dispose();
        using var stream = new MemoryStream();
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(() => _ = trainer.ClipValue);
            AssertDisposed(() => trainer.ClipValue = 1);
            AssertDisposed(() => _ = trainer.StepCount);
            AssertDisposed(() => trainer.UpdateSubset([]));
            AssertDisposed(trainer.Restart);
            AssertDisposed(() => trainer.ReadStatus());
            AssertDisposed(() => _ = trainer.MovingAverage);
            AssertDisposed(() => _ = trainer.IsSwappedToMovingAverage);
            AssertDisposed(() => trainer.UseCumulativeMovingAverage());
            AssertDisposed(() => trainer.UseExponentialMovingAverage(0.5));
            AssertDisposed(() => trainer.SwapToMovingAverage());
            AssertDisposed(trainer.SwapToWeights);
            AssertDisposed(() => trainer.Save("/tmp/never"));
            AssertDisposed(() => trainer.Save(stream));
            AssertDisposed(() => trainer.Populate("/tmp/never"));
            AssertDisposed(() => trainer.Populate(stream));
        }

        static void AssertDisposed(Action use) => Assert.That(() => use(), Throws.TypeOf<ObjectDisposedException>());
    }

    /// <summary>Updates whose gradient of the first value is -1.</summary>
    private void Climb(Trainer trainer, int updates)
    {
        for (int i = 0; i < updates; i++)
        {
            _graph.Renew();
            Loss([-1, 0]).Backward();
            trainer.Update();
        }
    }

    /// <summary>A loss whose gradient with respect to w is given.</summary>
    private Expression Loss(float[] gradient) => DotProduct(_w, _graph.Input(gradient));
}
