using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Softmaxes in one step and in several.</summary>
[TestFixture]
public sealed class SoftmaxBuilderTests
{
    private const string Classes = "x cat 12\ny  dog\t3\nx horse\nz unicorn 1\nx mouse\ny wolf\n";

    private const string Paths =
        "0 0\tcat 12\n0 0\tdog\n0 0\tcow\n0 1\twolf 3\n1\tbird\n1\tfish\n2 0\tant\n2 1\tbee\n2 2\tfly\n";

    private Model _model = null!;
    private ComputationGraph _graph = null!;
    private Expression _h;
    private string _path = null!;
    private Dict _words = null!;

    [SetUp]
    public void MakeGraph()
    {
        _model = new Model();
        _graph = new ComputationGraph(seed: 1);
        _h = _graph.Input([0.5f, -1, 2]);
        _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        _words = new Dict();
    }

    [TearDown]
    public void DisposeGraph()
    {
        _graph.Dispose();
        _model.Dispose();
        File.Delete(_path);
    }

    [Test]
    public void The_standard_one_has_dynets_parameters()
    {
        var with = new StandardSoftmaxBuilder(_model, 3, 5);
        var without = new StandardSoftmaxBuilder(_model, 3, 5, bias: false);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                _model.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(
                [
                    "/standard-softmax-builder/_0 {5,3}", "/standard-softmax-builder/_1 {5}",
                    "/standard-softmax-builder_1/_0 {5,3}",
                ]));
            Assert.That(with.Parameters, Is.EqualTo(_model.Parameters.Take(2)));
            Assert.That(without.Parameters, Is.EqualTo(_model.Parameters.Skip(2)));
            Assert.That(with.ClassCount, Is.EqualTo(5));
            Assert.That(with.InputDim, Is.EqualTo(3));
        }
    }

    [Test]
    public void The_standard_one_is_the_softmax_of_scores()
    {
        var builder = new StandardSoftmaxBuilder(_model, 3, 5);
        BuilderChecks.Fill(_model);
        Expression scores = builder.Parameters[0] * _h + builder.Parameters[1];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.FullLogits(_h).ToArray(), Is.EqualTo(scores.ToArray()).Within(1e-6));
            Assert.That(
                builder.FullLogDistribution(_h).ToArray(), Is.EqualTo(LogSoftmax(scores).ToArray()).Within(1e-6));
        }
        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 3), -Pick(LogSoftmax(scores), 3));

        var without = new StandardSoftmaxBuilder(builder.Parameters[0]);
        scores = builder.Parameters[0] * _h;
        BuilderChecks.AssertSame(_model, without.NegLogSoftmax(_h, 3), -Pick(LogSoftmax(scores), 3));
    }

    [Test]
    public void What_is_gone_or_names_no_graph_is_an_error()
    {
        File.WriteAllText(_path, Classes);
        var clusters = new ClassFactoredSoftmaxBuilder(_model, 3, _path, _words);
        var standard = new StandardSoftmaxBuilder(_model, 3, 5);
        Parameter bare = _model.AddParameters([3]);
        Func<Expression, object>[] calls =
        [
            h => clusters.ClassLogits(h), h => clusters.ClassLogDistribution(h), h => clusters.SubclassLogits(h, 0),
            h => clusters.SubclassLogDistribution(h, 0), h => clusters.FullLogits(h), h => clusters.NegLogSoftmax(h, 0),
            h => clusters.NegLogSoftmax(h, [0]), h => clusters.Sample(h), h => standard.FullLogits(h),
            h => standard.FullLogDistribution(h), h => standard.NegLogSoftmax(h, 1),
            h => standard.NegLogSoftmax(h, [1]), h => standard.Sample(h),
        ];
        using (Assert.EnterMultipleScope())
        {
            foreach (Func<Expression, object> call in calls)
                Assert.That(() => call(bare), Throws.ArgumentException);
            _model.Dispose();
            foreach (Func<Expression, object> call in calls)
                Assert.That(() => call(_h), Throws.TypeOf<ObjectDisposedException>());
            _graph.Dispose();
            foreach (Func<Expression, object> call in calls)
                Assert.That(() => call(_h), Throws.TypeOf<ObjectDisposedException>());
        }
    }

    [Test]
    public void The_standard_one_takes_parameters_that_there_are()
    {
        Parameter w = _model.AddParameters([5, 3]), b = _model.AddParameters([5]), other = _model.AddParameters([4]);
        Parameter cube = _model.AddParameters([5, 3, 2]);
        var builder = new StandardSoftmaxBuilder(w, b);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.Parameters, Is.EqualTo([w, b]));
            Assert.That(new StandardSoftmaxBuilder(w).Parameters, Is.EqualTo([w]));
            Assert.That(() => new StandardSoftmaxBuilder(w, other), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => new StandardSoftmaxBuilder(cube), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => new StandardSoftmaxBuilder(null!), Throws.ArgumentNullException);
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void The_class_factored_one_has_dynets_parameters(bool bias)
    {
        ClassFactoredSoftmaxBuilder builder = ClassFactored(bias);
        string[] withBias = ["{3,3}", "{3}", "{3,3}", "{3}", "{2,3}", "{2}"];
        string[] dims = bias ? withBias : [.. withBias.Where(dim => dim.Contains(',', StringComparison.Ordinal))];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                _model.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(dims.Select((dim, i) => $"/class-factored-softmax-builder/_{i} {dim}")));
            Assert.That(builder.Parameters, Is.EqualTo(_model.Parameters));
            Assert.That(_words.Words, Is.EqualTo(["cat", "dog", "horse", "unicorn", "mouse", "wolf"]));
            Assert.That(builder.ClusterCount, Is.EqualTo(3));
            Assert.That(builder.ClassCount, Is.EqualTo(6));
            Assert.That(builder.WordsOf(0), Is.EqualTo([0, 2, 4]));
            Assert.That(builder.WordsOf(1), Is.EqualTo([1, 5]));
            Assert.That(builder.WordsOf(2), Is.EqualTo([3]));
            Assert.That(() => builder.WordsOf(3), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void The_class_factored_one_is_a_product(bool bias)
    {
        ClassFactoredSoftmaxBuilder builder = ClassFactored(bias);
        BuilderChecks.Fill(_model);
        IReadOnlyList<Parameter> p = builder.Parameters;
        Expression Log(int first) =>
            LogSoftmax(bias ? p[2 * first] * _h + p[2 * first + 1] : p[first] * _h);

        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 4), -(Pick(Log(0), 0) + Pick(Log(1), 2)));
        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 5), -(Pick(Log(0), 1) + Pick(Log(2), 1)));
        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 3), -Pick(Log(0), 2));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                builder.ClassLogDistribution(_h).ToArray(), Is.EqualTo(Log(0).ToArray()).Within(1e-6));
            Assert.That(
                builder.SubclassLogDistribution(_h, 1).ToArray(), Is.EqualTo(Log(2).ToArray()).Within(1e-6));
            Assert.That(builder.SubclassLogDistribution(_h, 2).ToArray(), Is.EqualTo(new float[1]));
            Assert.That(() => builder.SubclassLogits(_h, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }

    [Test]
    public void The_hierarchical_one_has_dynets_parameters()
    {
        HierarchicalSoftmaxBuilder builder = Hierarchical();
        string[] dims = ["{3,3}", "{3}", "{1,3}", "{1}", "{3,3}", "{3}", "{1,3}", "{1}", "{3,3}", "{3}"];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                _model.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(dims.Select((dim, i) => $"/hsm-builder/_{i} {dim}")));
            Assert.That(builder.Parameters, Is.EqualTo(_model.Parameters));
            Assert.That(builder.ClassCount, Is.EqualTo(9));
        }
    }

    [Test]
    public void The_hierarchical_one_is_a_product_of_choices()
    {
        HierarchicalSoftmaxBuilder builder = Hierarchical();
        BuilderChecks.Fill(_model);
        IReadOnlyList<Parameter> p = builder.Parameters;
        Expression root = LogSoftmax(p[0] * _h + p[1]);
        Expression animals = Logistic(p[2] * _h + p[3]);
        Expression tame = LogSoftmax(p[4] * _h + p[5]);
        Expression others = Logistic(p[6] * _h + p[7]);
        Expression insects = LogSoftmax(p[8] * _h + p[9]);
        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 2), -(Pick(root, 0) + Log(animals) + Pick(tame, 2)));
        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 3), -(Pick(root, 0) + Log(1 - animals)));
        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 4), -(Pick(root, 1) + Log(others)));
        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 5), -(Pick(root, 1) + Log(1 - others)));
        BuilderChecks.AssertSame(_model, builder.NegLogSoftmax(_h, 7), -(Pick(root, 2) + Pick(insects, 1)));
    }

    [Test]
    public void Of_one_word_there_is_no_doubt()
    {
        File.WriteAllText(_path, "0 1\tonly\n");
        var builder = new HierarchicalSoftmaxBuilder(_model, 3, _path, _words);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_model.Parameters, Is.Empty);
            Assert.That(builder.NegLogSoftmax(_h, 0).ScalarValue(), Is.Zero);
            Assert.That(builder.FullLogDistribution(_h).ToArray(), Is.EqualTo(new float[1]));
            Assert.That(builder.Sample(_h), Is.Zero);
        }
    }

    [TestCase("standard")]
    [TestCase("class factored")]
    [TestCase("hierarchical")]
    public void The_full_distribution_is_that_of_the_losses(string kind)
    {
        // The file's words are not the first of the vocabulary, and one of its numbers is no class.
        _words.Convert("stranger");
        SoftmaxBuilder builder = Make(kind);
        BuilderChecks.Fill(_model);
        Expression logs = builder.FullLogDistribution(_h);
        float[] values = logs.ToArray();
        bool hasStranger = builder is not StandardSoftmaxBuilder;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(values, Has.Length.EqualTo(builder.ClassCount));
            Assert.That(values.Sum(value => Math.Exp(value)), Is.EqualTo(1).Within(1e-5));
            Assert.That(
                LogSoftmax(builder.FullLogits(_h)).ToArray(), Is.EqualTo(values).Within(hasStranger ? 1e-2 : 1e-5));
            for (int i = hasStranger ? 1 : 0; i < values.Length; i++)
                Assert.That(builder.NegLogSoftmax(_h, i).ScalarValue(), Is.EqualTo(-values[i]).Within(1e-5));
            if (hasStranger)
            {
                Assert.That(values[0], Is.EqualTo(-10_000));
                Assert.That(() => builder.NegLogSoftmax(_h, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
            }
        }
        BuilderChecks.AssertSame(_model, -Pick(logs, 2), builder.NegLogSoftmax(_h, 2));
    }

    [TestCase("standard")]
    [TestCase("class factored")]
    [TestCase("hierarchical")]
    public void A_batch_has_a_class_for_each_element(string kind)
    {
        SoftmaxBuilder builder = Make(kind);
        BuilderChecks.Fill(_model);
        float[][] hs = [[0.5f, -1, 2], [1, 0, -0.5f], [-2, 0.25f, 1]];
        Expression batch = _graph.Input(Dim.Of(3).WithBatch(3), [.. hs.SelectMany(h => h)]);
        int[] words = [4, 0, 4];
        Expression losses = builder.NegLogSoftmax(batch, words);
        Expression[] each = [.. hs.Select((h, i) => builder.NegLogSoftmax(_graph.Input(h), words[i]))];
        Expression all = builder.FullLogDistribution(batch);
        Expression same = builder.NegLogSoftmax(batch, 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(losses.Dim, Is.EqualTo(Dim.Of(1).WithBatch(3)));
            Assert.That(
                losses.ToArray(), Is.EqualTo(each.Select(loss => loss.ScalarValue())).Within(1e-5));
            Assert.That(all.Dim, Is.EqualTo(Dim.Of(builder.ClassCount).WithBatch(3)));
            Assert.That(
                same.ToArray(), Is.EqualTo(Enumerable.Range(0, 3)
                    .Select(i => -all.ToArray()[i * builder.ClassCount + 1])).Within(1e-5));
            Assert.That(() => builder.NegLogSoftmax(batch, [1, 2]), Throws.ArgumentException);
            Assert.That(() => builder.NegLogSoftmax(batch, [1, 2, 99]), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => builder.Sample(batch), Throws.ArgumentException);
        }
        BuilderChecks.AssertSame(_model, SumBatches(losses), each[0] + each[1] + each[2]);
    }

    [TestCase("standard")]
    [TestCase("class factored")]
    [TestCase("hierarchical")]
    public void Samples_have_the_distribution(string kind)
    {
        const int Draws = 4000;
        SoftmaxBuilder builder = Make(kind);
        BuilderChecks.Fill(_model);
        double[] expected = [.. builder.FullLogDistribution(_h).ToArray().Select(value => Math.Exp(value))];
        int[] counts = new int[expected.Length];
        for (int i = 0; i < Draws; i++)
            counts[builder.Sample(_h)]++;
        // Four deviations of each count.
        for (int i = 0; i < counts.Length; i++)
        {
            double deviation = Math.Sqrt(Draws * expected[i] * (1 - expected[i]));
            Assert.That(counts[i], Is.EqualTo(Draws * expected[i]).Within(4 * deviation + 1), $"class {i}");
        }
    }

    [TestCase("standard")]
    [TestCase("class factored")]
    [TestCase("hierarchical")]
    public void What_is_sampled_follows_from_the_graphs_seed(string kind)
    {
        SoftmaxBuilder builder = Make(kind);
        BuilderChecks.Fill(_model);
        Expression nothing = _graph.Input([1, float.NaN, 0]);
        int[] first = Draws(seed: 5);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Draws(seed: 5), Is.EqualTo(first));
            Assert.That(Draws(seed: 6), Is.Not.EqualTo(first));
            Assert.That(() => builder.Sample(nothing), Throws.TypeOf<NotFiniteNumberException>());
        }

        int[] Draws(long seed)
        {
            using var graph = new ComputationGraph(seed);
            Expression h = graph.Input([0.5f, -1, 2]);
            return [.. Enumerable.Range(0, 40).Select(_ => builder.Sample(h))];
        }
    }

    [TestCase("standard")]
    [TestCase("class factored")]
    [TestCase("hierarchical")]
    public void Parameters_may_be_constants(string kind)
    {
        SoftmaxBuilder builder = Make(kind);
        BuilderChecks.Fill(_model);
        Parameter h = _model.AddParameters([3], Initializer.FromArray([0.5f, -1, 2]));
        Expression x = _graph.Parameter(h);
        Expression batch = ConcatenateToBatch(x, 2 * x);
        AssertConstant(update => builder.NegLogSoftmax(x, 2, update));
        AssertConstant(update => builder.NegLogSoftmax(batch, [2, 0], update));
        AssertConstant(update => builder.FullLogDistribution(x, update));
        AssertConstant(update => builder.FullLogits(x, update));
        if (builder is ClassFactoredSoftmaxBuilder factored)
        {
            AssertConstant(update => factored.ClassLogDistribution(x, update));
            AssertConstant(update => factored.ClassLogits(x, update));
            AssertConstant(update => factored.SubclassLogDistribution(x, 1, update));
            AssertConstant(update => factored.SubclassLogits(x, 1, update));
        }

        void AssertConstant(Func<bool, Expression> of)
        {
            Expression trained = of(true), constant = of(false);
            Run(trained);
            float[] expected = h.Gradient.ToArray();
            bool isTrained = builder.Parameters.Any(
                parameter => parameter.Gradient.ToArray().Any(value => value != 0));
            Run(constant);
            using (Assert.EnterMultipleScope())
            {
                Assert.That(isTrained, Is.True);
                Assert.That(constant.ToArray(), Is.EqualTo(trained.ToArray()).Within(1e-6));
                Assert.That(h.Gradient.ToArray(), Is.EqualTo(expected).Within(1e-5));
                foreach (Parameter parameter in builder.Parameters)
                    Assert.That(parameter.Gradient.ToArray(), Is.All.Zero, parameter.Name);
            }
        }

        void Run(Expression y)
        {
            _model.ResetGradients();
            SumBatches(SumElems(Square(y))).Backward();
        }
    }

    [TestCase("standard")]
    [TestCase("class factored")]
    [TestCase("hierarchical")]
    public void Copies_the_parameters_of_another(string kind)
    {
        SoftmaxBuilder builder = Make(kind), other = Make(kind);
        BuilderChecks.Fill(_model);
        SoftmaxBuilder another = builder is StandardSoftmaxBuilder
            ? ClassFactored(bias: true)
            : new StandardSoftmaxBuilder(_model, 3, 5);
        var wider = new StandardSoftmaxBuilder(_model, 3, 6);
        float[] before = builder.FullLogDistribution(_h).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => builder.CopyFrom(another), Throws.ArgumentException);
            Assert.That(() => builder.CopyFrom(wider), Throws.ArgumentException);
            Assert.That(() => builder.CopyFrom(null!), Throws.ArgumentNullException);
            Assert.That(builder.FullLogDistribution(_h).ToArray(), Is.EqualTo(before), "failures change nothing");
            Assert.That(other.FullLogDistribution(_h).ToArray(), Is.Not.EqualTo(before));
        }
        builder.CopyFrom(other);
        Assert.That(
            builder.Parameters.Select(parameter => parameter.Values.ToArray()),
            Is.EqualTo(other.Parameters.Select(parameter => parameter.Values.ToArray())));
    }

    [Test]
    public void Classes_in_other_clusters_are_not_copied()
    {
        ClassFactoredSoftmaxBuilder factored = ClassFactored(bias: true);
        File.WriteAllText(_path, Classes.Replace("x cat", "y cat").Replace("y  dog", "x dog"));
        var swapped = new ClassFactoredSoftmaxBuilder(_model, 3, _path, _words);
        _words.Clear();
        HierarchicalSoftmaxBuilder hierarchical = Hierarchical();
        File.WriteAllText(_path, Paths.Replace("cow", "owl").Replace("ant", "cow").Replace("owl", "ant"));
        var moved = new HierarchicalSoftmaxBuilder(_model, 3, _path, _words);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => factored.CopyFrom(swapped), Throws.ArgumentException.With.Message.Contains("other clusters"));
            Assert.That(
                () => hierarchical.CopyFrom(moved), Throws.ArgumentException.With.Message.Contains("other clusters"));
        }
    }

    [TestCase("standard")]
    [TestCase("class factored")]
    [TestCase("hierarchical")]
    public void A_file_with_dynets_names_fills_it(string kind)
    {
        SoftmaxBuilder builder = Make(kind);
        var text = new DyNetText();
        for (int i = 0; i < builder.Parameters.Count; i++)
        {
            Parameter parameter = builder.Parameters[i];
            int which = i;
            text.Parameter(
                parameter.Name,
                parameter.Dim.ToString(),
                [.. Enumerable.Range(1, (int)parameter.Dim.Size).Select(j => Math.Sin(j + which))]);
        }
        _model.Populate(text.AsStream());
        using var stream = new MemoryStream();
        _model.Save(stream);
        stream.Position = 0;
        float[] before = builder.FullLogDistribution(_h).ToArray();
        using var model = Model.Load(stream);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.Parameters[1].Values[0], Is.EqualTo((float)Math.Sin(2)));
            Assert.That(
                model.Parameters.Select(parameter => parameter.Values.ToArray()),
                Is.EqualTo(builder.Parameters.Select(parameter => parameter.Values.ToArray())));
            Assert.That(before.Sum(value => Math.Exp(value)), Is.EqualTo(1).Within(1e-5));
        }
    }

    [TestCase("standard")]
    [TestCase("class factored")]
    [TestCase("hierarchical")]
    public void Wrong_use_is_an_error(string kind)
    {
        SoftmaxBuilder builder = Make(kind);
        Expression wrong = _graph.Input([1, 2]);
        Parameter parameter = _model.AddParameters([3]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => builder.NegLogSoftmax(wrong, 0),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{2}").And.Message.Contains("{3}"));
            Assert.That(() => builder.FullLogDistribution(wrong), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => builder.FullLogits(default), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => builder.Sample(wrong), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => builder.NegLogSoftmax(parameter, 0), Throws.ArgumentException);
            Assert.That(() => builder.NegLogSoftmax(_h, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => builder.NegLogSoftmax(_h, builder.ClassCount), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new StandardSoftmaxBuilder(_model, 0, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new StandardSoftmaxBuilder(_model, 2, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new StandardSoftmaxBuilder(null!, 2, 2), Throws.ArgumentNullException);
        }
    }

    private SoftmaxBuilder Make(string kind) => kind switch
    {
        "standard" => new StandardSoftmaxBuilder(_model, 3, 5),
        "class factored" => ClassFactored(bias: true),
        _ => Hierarchical(),
    };

    private ClassFactoredSoftmaxBuilder ClassFactored(bool bias)
    {
        File.WriteAllText(_path, Classes);
        return new ClassFactoredSoftmaxBuilder(_model, 3, _path, _words, bias);
    }

    private HierarchicalSoftmaxBuilder Hierarchical()
    {
        File.WriteAllText(_path, Paths);
        return new HierarchicalSoftmaxBuilder(_model, 3, _path, _words);
    }
}
