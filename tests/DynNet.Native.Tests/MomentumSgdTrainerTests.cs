namespace DynNet.Native.Tests;

/// <summary>Gradient descent with momentum against its formula.</summary>
[TestFixture]
public sealed class MomentumSgdTrainerTests
{
    [Test]
    public void Keeps_a_part_of_its_last_step()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.FromArray([1, -2]));
        using var trainer = new MomentumSgdTrainer(model, 0.1, momentum: 0.8);
        using var graph = new ComputationGraph();
        double[] expected = [1, -2];
        double[] velocity = [0, 0];
        for (int step = 0; step < 6; step++)
        {
            graph.Renew();
            Ops.SumElems(Ops.Square(graph.Parameter(w))).Backward();
            trainer.Update();
            for (int i = 0; i < 2; i++)
            {
                velocity[i] = 0.8 * velocity[i] - 0.1 * 2 * expected[i];
                expected[i] += velocity[i];
            }
        }
        Assert.That(w.Values.ToArray(), Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void Has_the_defaults_of_dynet()
    {
        using var model = new Model();
        using var trainer = new MomentumSgdTrainer(model);
        Assert.That(trainer.LearningRate, Is.EqualTo(0.01));
    }
}
