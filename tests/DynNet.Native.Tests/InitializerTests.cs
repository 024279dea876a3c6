namespace DynNet.Native.Tests;

/// <summary>First values of parameters.</summary>
[TestFixture]
public sealed class InitializerTests
{
    private static readonly double[] NoNumbers = [double.NaN, double.PositiveInfinity];

    [Test]
    public void Constant_is_everywhere()
    {
        using var model = new Model();
        Parameter parameter = model.AddParameters([3, 2], Initializer.Constant(0.5));
        Assert.That(parameter.Values.ToArray(), Is.All.EqualTo(0.5f));
    }

    [Test]
    public void Identity_is_1_on_the_diagonal()
    {
        using var model = new Model();
        Parameter parameter = model.AddParameters([3, 3], Initializer.Identity);
        Assert.That(parameter.Values.ToArray(), Is.EqualTo(new float[] { 1, 0, 0, 0, 1, 0, 0, 0, 1 }));
    }

    [Test]
    public void Identity_of_what_is_not_square_is_an_error()
    {
        using var model = new Model();
        Assert.That(
            () => model.AddParameters([3, 2], Initializer.Identity),
            Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{3,2}"));
    }

    [Test]
    public void Values_are_copied_column_major()
    {
        float[] values = [1, 2, 3, 4, 5, 6];
        Initializer initializer = Initializer.FromArray(values);
        values[0] = 99;
        using var model = new Model();
        Parameter parameter = model.AddParameters([3, 2], initializer);
        using var graph = new ComputationGraph();
        Expression secondColumn = Ops.Pick(graph.Parameter(parameter), 1, dim: 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(parameter.Values.ToArray(), Is.EqualTo(new float[] { 1, 2, 3, 4, 5, 6 }));
            Assert.That(secondColumn.ToArray(), Is.EqualTo(new float[] { 4, 5, 6 }));
        }
    }

    [Test]
    public void Values_for_another_shape_are_an_error()
    {
        using var model = new Model();
        Assert.That(
            () => model.AddParameters([3, 2], Initializer.FromArray([1, 2, 3])),
            Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("6").And.Message.Contains("3"));
    }

    [Test]
    public void Glorot_is_the_default_and_spans_its_interval()
    {
        using var model = new Model();
        float[] values = model.AddParameters([50, 100]).Values.ToArray();
        double bound = Math.Sqrt(6.0 / 150);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(values.Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.99 * bound));
            Assert.That(values.Average(), Is.EqualTo(0).Within(bound / 30));
            Assert.That(values.Average(v => v * v), Is.EqualTo(bound * bound / 3).Within(3).Percent);
        }
    }

    [Test]
    public void Glorot_takes_a_gain_and_leaves_out_the_rows_of_a_table()
    {
        using var model = new Model();
        double bound = 2 * Math.Sqrt(3.0 / 20);
        LookupParameter table = model.AddLookupParameters(500, [20], Initializer.Glorot(gain: 2));
        Assert.That(
            table.Values.ToArray().Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.99 * bound));
    }

    [Test]
    public void Glorot_takes_a_lookup_form()
    {
        using var model = new Model();
        using (Assert.EnterMultipleScope())
        {
            AssertBound(
                model.AddParameters([20, 500], Initializer.Glorot(isLookup: true)).Values, Math.Sqrt(3.0 / 20));
            AssertBound(
                model.AddParameters([20, 500], Initializer.Glorot(isLookup: false)).Values, Math.Sqrt(6.0 / 520));
            AssertBound(
                model.AddLookupParameters(500, [20], Initializer.Glorot(2, isLookup: true)).Values,
                2 * Math.Sqrt(3.0 / 20));
            AssertBound(
                model.AddLookupParameters(500, [20], Initializer.Glorot(2, isLookup: false)).Values,
                2 * Math.Sqrt(6.0 / 520));
            Assert.That(
                () => model.AddParameters([20], Initializer.Glorot(isLookup: true)),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{20}"));
            Assert.That(model.Parameters, Has.Count.EqualTo(2));
        }

        static void AssertBound(ReadOnlySpan<float> values, double bound) =>
            Assert.That(
                values.ToArray().Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.99 * bound));
    }

    [Test]
    public void Saxe_is_orthonormal()
    {
        using var model = new Model();
        float[] values = model.AddParameters([9, 4], Initializer.Saxe(gain: 2)).Values.ToArray();
        using (Assert.EnterMultipleScope())
        {
            for (int a = 0; a < 4; a++)
            {
                for (int b = 0; b < 4; b++)
                {
                    double product = Enumerable.Range(0, 9).Sum(i => (double)values[i + 9 * a] * values[i + 9 * b]);
                    Assert.That(product, Is.EqualTo(a == b ? 4 : 0).Within(1e-5), $"columns {a} and {b}");
                }
            }
            Assert.That(
                () => model.AddParameters([2, 2, 2], Initializer.Saxe()), Throws.TypeOf<ShapeMismatchException>());
        }
    }

    [Test]
    public void He_has_the_variance_of_its_inputs()
    {
        using var model = new Model();
        float[] normal = model.AddParameters([100, 200], Initializer.HeNormal()).Values.ToArray();
        float[] uniform = model.AddParameters([100, 200], Initializer.HeUniform(gain: 2)).Values.ToArray();
        double bound = 2 * Math.Sqrt(6.0 / 200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(normal.Average(v => v * v), Is.EqualTo(0.01).Within(4).Percent);
            Assert.That(normal.Max(Math.Abs), Is.GreaterThan(0.3f), "it has tails");
            Assert.That(uniform.Average(v => v * v), Is.EqualTo(0.04).Within(4).Percent);
            Assert.That(uniform.Max(Math.Abs), Is.LessThanOrEqualTo(bound).And.GreaterThan(0.99 * bound));
        }
    }

    [Test]
    public void Values_come_from_a_file()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "1 -2.5\n3e-1\t4\n");
            Initializer initializer = Initializer.FromFile(path);
            using var model = new Model();
            using (Assert.EnterMultipleScope())
            {
                Assert.That(
                    model.AddParameters([2, 2], initializer).Values.ToArray(),
                    Is.EqualTo(new float[] { 1, -2.5f, 0.3f, 4 }));
                Assert.That(
                    model.AddLookupParameters(2, [2], initializer).Row(1).ToArray(),
                    Is.EqualTo(new float[] { 0.3f, 4 }));
                Assert.That(() => model.AddParameters([3], initializer), Throws.TypeOf<ShapeMismatchException>());
            }
            File.WriteAllText(path, "1 two");
            Assert.That(
                () => model.AddParameters([2], initializer),
                Throws.TypeOf<ModelFormatException>().With.Message.Contains("two"));
            File.Delete(path);
            Assert.That(
                () => model.AddParameters([2], initializer),
                Throws.TypeOf<FileNotFoundException>().With.Property("FileName").EqualTo(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void Uniform_stays_in_its_interval()
    {
        using var model = new Model();
        float[] values = model.AddParameters([5000], Initializer.Uniform(-1, 3)).Values.ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(values, Is.All.InRange(-1f, 3f));
            Assert.That(values.Average(), Is.EqualTo(1).Within(0.1));
            Assert.That(values.Distinct().Count(), Is.GreaterThan(4900));
        }
    }

    [Test]
    public void Uniform_of_one_scale_lies_around_0()
    {
        using Model one = new(3), other = new(3);
        Assert.That(
            one.AddParameters([50], Initializer.Uniform(0.5)).Values.ToArray(),
            Is.EqualTo(other.AddParameters([50], Initializer.Uniform(-0.5, 0.5)).Values.ToArray()));
    }

    [Test]
    public void Normal_has_its_mean_and_deviation()
    {
        using var model = new Model();
        float[] values = model.AddParameters([10000], Initializer.Normal(2, 0.5)).Values.ToArray();
        double mean = values.Average();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(mean, Is.EqualTo(2).Within(0.02));
            Assert.That(Math.Sqrt(values.Average(v => (v - mean) * (v - mean))), Is.EqualTo(0.5).Within(0.02));
            Assert.That(values.Count(v => Math.Abs(v - 2) < 0.5), Is.EqualTo(6827).Within(200));
        }
    }

    [Test]
    public void One_seed_gives_one_model_and_another_seed_another()
    {
        static float[] Draw(long seed)
        {
            using var model = new Model(seed);
            model.AddParameters([3]);
            return model.AddParameters([7, 3]).Values.ToArray();
        }

        using (Assert.EnterMultipleScope())
        {
            float[] first = Draw(5);
            Assert.That(Draw(5), Is.EqualTo(first));
            Assert.That(Draw(6), Is.Not.EqualTo(first));
        }
    }

    [Test]
    public void Two_parameters_of_a_model_differ()
    {
        using var model = new Model();
        float[] first = model.AddParameters([9]).Values.ToArray();
        Assert.That(model.AddParameters([9]).Values.ToArray(), Is.Not.EqualTo(first));
    }

    [TestCaseSource(nameof(NoNumbers))]
    public void Numbers_must_be_finite(double number)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Initializer.Glorot(number), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Saxe(number), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.HeNormal(number), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.HeUniform(number), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Uniform(number), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Uniform(number, 1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Uniform(0, number), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Normal(number), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Normal(0, number), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Constant(number), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }

    [Test]
    public void Ranges_must_hold_something()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Initializer.Glorot(0), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Saxe(0), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.HeNormal(0), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.HeUniform(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.FromFile(""), Throws.ArgumentException);
            Assert.That(() => Initializer.Uniform(0), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Uniform(1, 1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => Initializer.Normal(0, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }
}
