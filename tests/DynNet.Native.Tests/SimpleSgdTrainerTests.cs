namespace DynNet.Native.Tests;

/// <summary>Stochastic gradient descent against its formula.</summary>
[TestFixture]
public sealed class SimpleSgdTrainerTests
{
    [Test]
    public void Goes_against_the_gradient()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([3], Initializer.FromArray([1, 2, 3]));
        using var trainer = new SimpleSgdTrainer(model, 0.5);
        using var graph = new ComputationGraph();
        double[] expected = [1, 2, 3];
        for (int step = 0; step < 4; step++)
        {
            graph.Renew();
            Ops.SumElems(Ops.Square(graph.Parameter(w)) / 4).Backward();
            trainer.Update();
            for (int i = 0; i < 3; i++)
                expected[i] -= 0.5 * expected[i] / 2;
        }
        Assert.That(w.Values.ToArray(), Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void A_rate_of_0_changes_nothing()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([1], Initializer.Constant(2));
        using var trainer = new SimpleSgdTrainer(model, 0);
        using var graph = new ComputationGraph();
        Ops.Square(graph.Parameter(w)).Backward();
        trainer.Update();
        Assert.That(w.Values[0], Is.EqualTo(2f));
    }
}
