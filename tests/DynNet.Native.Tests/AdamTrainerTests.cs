using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Adam against its formula, and at work.</summary>
[TestFixture]
public sealed class AdamTrainerTests
{
    [Test]
    public void Follows_its_formula()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.FromArray([1, -2]));
        using var trainer = new AdamTrainer(model, 0.05, 0.8, 0.95, 1e-6);
        using var graph = new ComputationGraph();
        double[] expected = [1, -2];
        double[] mean = [0, 0];
        double[] square = [0, 0];
        for (int step = 1; step <= 10; step++)
        {
            graph.Renew();
            SumElems(Square(graph.Parameter(w))).Backward();
            trainer.Update();
            double rate = 0.05 * Math.Sqrt(1 - Math.Pow(0.95, step)) / (1 - Math.Pow(0.8, step));
            for (int i = 0; i < 2; i++)
            {
                double gradient = 2 * expected[i];
                mean[i] = 0.8 * mean[i] + 0.2 * gradient;
                square[i] = 0.95 * square[i] + 0.05 * gradient * gradient;
                expected[i] -= rate * mean[i] / (Math.Sqrt(square[i]) + 1e-6);
            }
        }
        Assert.That(w.Values.ToArray(), Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void Has_the_defaults_of_dynet()
    {
        using var model = new Model();
        using var trainer = new AdamTrainer(model);
        Assert.That(trainer.LearningRate, Is.EqualTo(0.001));
    }

    [Test]
    public void Learns_exclusive_or()
    {
        (float[] X, float Y)[] examples = [([1, 1], -1), ([1, -1], 1), ([-1, 1], 1), ([-1, -1], -1)];
        using var model = new Model();
        Parameter w = model.AddParameters([8, 2]);
        Parameter b = model.AddParameters([8]);
        Parameter v = model.AddParameters([1, 8]);
        using var trainer = new AdamTrainer(model, 0.05);
        using var graph = new ComputationGraph();
        double total = 0;
        for (int epoch = 0; epoch < 200; epoch++)
        {
            total = 0;
            foreach ((float[] x, float y) in examples)
            {
                graph.Renew();
                Expression h = Tanh(w * graph.Input(x) + b);
                Expression loss = SquaredDistance(v * h, graph.Input(y));
                total += loss.ScalarValue();
                loss.Backward();
                trainer.Update();
            }
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(total, Is.LessThan(1e-3));
            Assert.That(trainer.UpdateCount, Is.EqualTo(800));
        }
    }
}
