namespace DynNet.Native.Tests;

/// <summary>Schedules of learning rates against their formulas.</summary>
[TestFixture]
public sealed class LearningRateScheduleTests
{
    [Test]
    public void Constant_is_always_the_same() =>
        AssertRates(LearningRateSchedule.Constant(0.5), (0, 0.5), (1, 0.5), (1000, 0.5));

    [Test]
    public void Exponential_decay_is_a_little_at_every_update() =>
        AssertRates(
            LearningRateSchedule.ExponentialDecay(2, 0.25, 10), (0, 2), (5, 1), (10, 0.5), (20, 0.125));

    [Test]
    public void Steps_come_after_each_period() =>
        AssertRates(LearningRateSchedule.Step(1, 0.5, 3), (0, 1), (2, 1), (3, 0.5), (5, 0.5), (6, 0.25));

    [Test]
    public void Inverse_time_counts_whole_periods() =>
        AssertRates(LearningRateSchedule.InverseTime(1, 0.5, 4), (0, 1), (3, 1), (4, 1 / 1.5), (8, 0.5), (11, 0.5));

    [Test]
    public void A_cosine_ends_at_its_final_rate() =>
        AssertRates(
            LearningRateSchedule.Cosine(1, 0.2, 6),
            (0, 1), (2, 0.2 + 0.8 * 0.75), (3, 0.6), (4, 0.2 + 0.8 * 0.25), (6, 0.2), (100, 0.2));

    [Test]
    public void A_cycle_goes_up_and_down() =>
        AssertRates(
            LearningRateSchedule.Cyclical(1, 3, 2, 0.5),
            (0, 1), (1, 1 + 1 * 0.5), (2, 1 + 2 * 0.25), (3, 1 + 1 * 0.125), (4, 1), (6, 1 + 2 / 64.0));

    [Test]
    public void A_warm_up_rises_to_the_first_rate_and_then_the_schedule_begins() =>
        AssertRates(
            LearningRateSchedule.Step(1, 0.5, 2).WithWarmUp(4),
            (0, 0.25), (1, 0.5), (2, 0.75), (3, 1), (4, 1), (5, 1), (6, 0.5));

    [Test]
    public void One_schedule_follows_another() =>
        AssertRates(
            LearningRateSchedule.Constant(1).Then(2, LearningRateSchedule.Step(4, 0.5, 1)),
            (0, 1), (1, 1), (2, 4), (3, 2), (4, 1));

    [Test]
    public void Warm_ups_and_successors_of_no_length_change_nothing() =>
        AssertRates(
            LearningRateSchedule.Constant(9).Then(0, LearningRateSchedule.Step(1, 0.5, 1).WithWarmUp(0)),
            (0, 1), (1, 0.5));

    [Test]
    public void Numbers_out_of_range_are_an_error()
    {
        LearningRateSchedule constant = LearningRateSchedule.Constant(1);
        using (Assert.EnterMultipleScope())
        {
            foreach (double bad in new[] { -1, double.NaN, double.PositiveInfinity })
            {
                AssertOutOfRange(() => LearningRateSchedule.Constant(bad));
                AssertOutOfRange(() => LearningRateSchedule.ExponentialDecay(bad, 0.5));
                AssertOutOfRange(() => LearningRateSchedule.ExponentialDecay(1, bad));
                AssertOutOfRange(() => LearningRateSchedule.Step(bad, 0.5, 1));
                AssertOutOfRange(() => LearningRateSchedule.Step(1, bad, 1));
                AssertOutOfRange(() => LearningRateSchedule.InverseTime(bad, 0.5));
                AssertOutOfRange(() => LearningRateSchedule.InverseTime(1, bad));
                AssertOutOfRange(() => LearningRateSchedule.Cosine(bad, 0, 1));
                AssertOutOfRange(() => LearningRateSchedule.Cosine(1, bad, 1));
                AssertOutOfRange(() => LearningRateSchedule.Cyclical(bad, 1, 1));
                AssertOutOfRange(() => LearningRateSchedule.Cyclical(0, bad, 1));
                AssertOutOfRange(() => LearningRateSchedule.Cyclical(0, 1, bad));
                AssertOutOfRange(() => LearningRateSchedule.Cyclical(0, 1, 1, bad));
            }
            AssertOutOfRange(() => LearningRateSchedule.ExponentialDecay(1, 0));
            AssertOutOfRange(() => LearningRateSchedule.ExponentialDecay(1, 0.5, 0));
            AssertOutOfRange(() => LearningRateSchedule.Step(1, 0.5, 0));
            AssertOutOfRange(() => LearningRateSchedule.InverseTime(1, 0.5, 0));
            AssertOutOfRange(() => LearningRateSchedule.Cosine(1, 0, 0));
            AssertOutOfRange(() => LearningRateSchedule.Cyclical(2, 1, 1));
            AssertOutOfRange(() => LearningRateSchedule.Cyclical(0, 1, 1, 1.5));
            AssertOutOfRange(() => constant.WithWarmUp(-1));
            AssertOutOfRange(() => constant.Then(-1, constant));
            AssertOutOfRange(() => constant.Rate(-1));
            Assert.That(() => constant.Then(1, null!), Throws.ArgumentNullException);
        }

        static void AssertOutOfRange(Action use) =>
            Assert.That(() => use(), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    [TestCase(-0.1)]
    public void A_rate_out_of_range_is_an_error_that_changes_nothing(double bad)
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.Constant(1));
        using var trainer = new SimpleSgdTrainer(model, 0.5) { Schedule = new Rates(_ => bad) };
        using var set = new GradientSet(model);
        using var graph = new ComputationGraph();
        Ops.SumElems(graph.Parameter(w)).Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(trainer.Update, Throws.TypeOf<ArgumentException>());
            Assert.That(() => trainer.Update([set]), Throws.TypeOf<ArgumentException>());
            Assert.That(() => trainer.UpdateSubset([w]), Throws.TypeOf<ArgumentException>());
            Assert.That(trainer.LearningRate, Is.EqualTo(0.5));
            Assert.That(w.ToArray(), Is.All.EqualTo(1f));
            Assert.That(w.GradientToArray(), Is.All.EqualTo(1f));
        }
    }

    [Test]
    public void An_update_that_fails_leaves_the_rate_as_it_was()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.Constant(1));
        using var other = new Model();
        Parameter foreign = other.AddParameters([2]);
        using var foreignSet = new GradientSet(other);
        using var trainer = new SimpleSgdTrainer(model, 0.5) { Schedule = LearningRateSchedule.Constant(0.25) };
        using var graph = new ComputationGraph();
        (Ops.SumElems(graph.Parameter(w)) / 0).Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                trainer.Update, Throws.TypeOf<NotFiniteNumberException>().With.Message.Not.Empty, "its own message");
            Assert.That(trainer.LearningRate, Is.EqualTo(0.5));
            Assert.That(() => trainer.Update([foreignSet]), Throws.ArgumentException);
            Assert.That(trainer.LearningRate, Is.EqualTo(0.5));
            Assert.That(() => trainer.UpdateSubset([foreign]), Throws.ArgumentException);
            Assert.That(trainer.LearningRate, Is.EqualTo(0.5));
        }
        model.ResetGradients();
        trainer.Update();
        Assert.That(trainer.LearningRate, Is.EqualTo(0.25));
    }

    [Test]
    public void What_a_schedule_throws_is_passed_on_before_anything_is_updated()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.Constant(1));
        using var trainer = new SimpleSgdTrainer(model) { Schedule = new Rates(_ => throw new TimeoutException()) };
        using var graph = new ComputationGraph();
        Ops.SumElems(graph.Parameter(w)).Backward();
        Assert.That(trainer.Update, Throws.TypeOf<TimeoutException>());
        Assert.That(w.ToArray(), Is.All.EqualTo(1f));
    }

    private sealed class Rates(Func<long, double> rate) : LearningRateSchedule
    {
        public override double Rate(long update) => rate(update);
    }

    private static void AssertRates(LearningRateSchedule schedule, params (long Update, double Rate)[] expected)
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((long update, double rate) in expected)
                Assert.That(schedule.Rate(update), Is.EqualTo(rate).Within(1e-12), $"update {update}");
        }
    }
}
