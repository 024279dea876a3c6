using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Each kind of trainer for one step of its formula, its defaults, and its checks.</summary>
[TestFixture]
public sealed class TrainerKindTests
{
    private static readonly TestCaseData[] FirstSteps =
    [
        // The gradient is 0.5, the value 1; what is remembered begins at 0.
        Step("CyclicalSgd", m => new CyclicalSgdTrainer(m, 0.1, 0.2), 1 - 0.1 * 0.5),
        Step("NesterovSgd", m => new NesterovSgdTrainer(m, 0.1, 0.5), 1 - 0.5 * 0.05 - 0.05),
        Step("Adagrad", m => new AdagradTrainer(m, 0.1), 1 - 0.1),
        Step("Adadelta", m => new AdadeltaTrainer(m, 0.01, 0.8), 1 - 0.5 * Math.Sqrt(0.01) / Math.Sqrt(0.05 + 0.01)),
        Step("RmsProp", m => new RmsPropTrainer(m, 0.1, 0.01, 0.8), 1 - 0.1 * 0.5 / Math.Sqrt(0.05 + 0.01)),
        Step("AdamW", m => new AdamWTrainer(m, 0.1, decay: 0.5), 1 - 0.1 * (1 + 0.5)),
        Step("Amsgrad", m => new AmsgradTrainer(m, 0.1), 1 - 0.1),
    ];

    [TestCaseSource(nameof(FirstSteps))]
    public void Takes_the_step_of_its_formula(Func<Model, Trainer> make, double expected)
    {
        using var model = new Model();
        Parameter w = model.AddParameters([3], Initializer.Constant(1));
        using var graph = new ComputationGraph();
        using Trainer trainer = make(model);
        DotProduct(w, graph.Input([0.5f, 0.5f, 0.5f])).Backward();
        trainer.Update();
        Assert.That(w.Values.ToArray(), Is.All.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void Exponentiated_gradients_keep_a_distribution()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.Constant(0.5));
        using var graph = new ComputationGraph();
        using var trainer = new EGTrainer(model, 0.2, 0);
        DotProduct(w, graph.Input([1, 0])).Backward();
        trainer.Update();
        double first = Math.Exp(-0.2) / (1 + Math.Exp(-0.2));
        Assert.That(w.Values.ToArray(), Is.EqualTo(new[] { first, 1 - first }).Within(1e-6));
    }

    [Test]
    public void Exponentiated_gradients_of_what_is_no_distribution_are_an_error()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.FromArray([1, -1]), "W");
        using var graph = new ComputationGraph();
        using var trainer = new EGTrainer(model);
        DotProduct(w, graph.Input([1, 0])).Backward();
        Assert.That(trainer.Update, Throws.InvalidOperationException.With.Message.Contains("/W is -1 at element 1"));
        Assert.That(w.Values.ToArray(), Is.EqualTo(new float[] { 1, -1 }));
    }

    [Test]
    public void An_update_moves_a_cyclical_rate()
    {
        using var model = new Model();
        using var trainer = new CyclicalSgdTrainer(model, 0.1, 0.5, 2);
        var rates = new List<double>();
        for (int i = 0; i < 7; i++)
        {
            rates.Add(trainer.LearningRate);
            trainer.Update();
        }
        Assert.That(rates, Is.EqualTo(new[] { 0.1, 0.1, 0.3, 0.5, 0.3, 0.1, 0.3 }).Within(1e-12));
    }

    [Test]
    public void Have_the_rates_of_dynet()
    {
        using var model = new Model();
        using (Assert.EnterMultipleScope())
        {
            AssertRate(new CyclicalSgdTrainer(model), 0.01);
            AssertRate(new NesterovSgdTrainer(model), 0.01);
            AssertRate(new AdagradTrainer(model), 0.1);
            AssertRate(new AdadeltaTrainer(model), 1);
            AssertRate(new RmsPropTrainer(model), 0.1);
            AssertRate(new AdamWTrainer(model), 0.001);
            AssertRate(new AmsgradTrainer(model), 0.001);
            AssertRate(new EGTrainer(model), 0.1);
        }

        static void AssertRate(Trainer trainer, double expected)
        {
            using (trainer)
                Assert.That(trainer.LearningRate, Is.EqualTo(expected), trainer.GetType().Name);
        }
    }

    [Test]
    public void Numbers_out_of_range_are_an_error()
    {
        using var model = new Model();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => new CyclicalSgdTrainer(model, 0.2, 0.1), Throws.ArgumentException);
            Assert.That(() => new CyclicalSgdTrainer(model, stepSize: 0), Throws.ArgumentException);
            Assert.That(() => new NesterovSgdTrainer(model, momentum: 1), Throws.ArgumentException);
            Assert.That(() => new AdagradTrainer(model, epsilon: 0), Throws.ArgumentException);
            Assert.That(() => new AdadeltaTrainer(model, rho: 1), Throws.ArgumentException);
            Assert.That(() => new RmsPropTrainer(model, rho: -1), Throws.ArgumentException);
            Assert.That(() => new AdamWTrainer(model, decay: -1), Throws.ArgumentException);
            Assert.That(() => new AmsgradTrainer(model, beta1: 1), Throws.ArgumentException);
            Assert.That(() => new EGTrainer(model, momentum: 1), Throws.ArgumentException);
            Assert.That(() => new EGTrainer(null!), Throws.ArgumentNullException);
        }
    }

    private static TestCaseData Step(string name, Func<Model, Trainer> make, double expected) =>
        new TestCaseData(make, expected).SetArgDisplayNames(name);
}
