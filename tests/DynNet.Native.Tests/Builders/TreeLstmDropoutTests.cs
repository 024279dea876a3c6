using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Dropout in LSTMs over trees.</summary>
[TestFixture]
public sealed class TreeLstmDropoutTests() : GraphFixture(seed: 1)
{
    private static readonly string[] s_kinds = ["nary", "child sum", "unidirectional", "bidirectional"];

    private static IEnumerable<string> Kinds => s_kinds;

    [TestCaseSource(nameof(Kinds))]
    public void All_nodes_of_a_state_have_the_same_masks(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        Expression x = Inputs()[0];
        TreeLstmState before = builder.InitialState(_graph);
        float[] without = Tree(before);
        builder.SetDropout(0.5);
        float[][] outputs =
        [
            .. Enumerable.Range(0, 8).Select(_ =>
            {
                TreeLstmState trees = builder.InitialState(_graph);
                float[] first = Tree(trees);
                Assert.That(Tree(trees), Is.EqualTo(first));
                return first;
            }),
        ];
        TreeLstmState started = builder.InitialState(_graph);
        float[] under = Tree(started);
        builder.DisableDropout();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outputs, Has.Some.Not.EqualTo(without));
            Assert.That(outputs.Select(values => string.Join(" ", values)).Distinct().Count(), Is.GreaterThan(1));
            Assert.That(Tree(before), Is.EqualTo(without), "started before");
            Assert.That(Tree(started), Is.EqualTo(under), "started under it");
            Assert.That(Tree(builder.InitialState(_graph)), Is.EqualTo(without), "started after");
        }

        float[] Tree(TreeLstmState trees) =>
            trees.AddInput(x, trees.AddInput(x), trees.AddInput(x)).Output.ToArray();
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    public void Masks_are_for_inputs_and_for_what_recurs(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        TreeLstmState whole = builder.InitialState(_graph);
        builder.SetDropout(0.5, 0.5);
        TreeLstmState trees = builder.InitialState(_graph);
        TreeLstmNode left = trees.AddInput(xs[0]), right = trees.AddInput(xs[1]);
        Expression top = trees.AddInput(xs[2], left, right, left).Output;
        Expression single = trees.AddInput(xs[0], right).Output;

        // Nothing recurs in a leaf of one step.
        Expression ones = _graph.Constant([4], 1);
        Expression inputMask = BuilderChecks.Masks(_graph, 4).First(
            mask => IsSame(left.Output, Node(mask, ones, xs[0]).H) && IsSame(right.Output, Node(mask, ones, xs[1]).H));
        Expression hiddenMask = BuilderChecks.Masks(_graph, 4).First(mask => IsSame(top, Top(mask)));
        BuilderChecks.AssertSame(_model, top, Top(hiddenMask));
        BuilderChecks.AssertSame(_model, single, Node(inputMask, hiddenMask, xs[0], Leaf(hiddenMask, 1)).H);

        Expression Top(Expression mask) =>
            Node(inputMask, mask, xs[2], Leaf(mask, 0), Leaf(mask, 1), Leaf(mask, 0)).H;

        (Expression C, Expression H) Leaf(Expression mask, int which) => Node(inputMask, mask, xs[which]);

        // A node, of what has no dropout.
        (Expression C, Expression H) Node(
            Expression maskX, Expression maskH, Expression x, params (Expression C, Expression H)[] children)
        {
            if (builder is UnidirectionalTreeLstmBuilder chain)
            {
                chain.DisableDropout();
                LstmState state = chain.NodeBuilder.InitialState(_graph).AddInput(CMult(x, maskX));
                foreach ((_, Expression h) in children)
                    state = state.SetH(CMult(state.H(0), maskH)).AddInput(CMult(h, maskX));
                return (state.C(0), state.H(0));
            }
            TreeLstmNode node = whole.AddInput(
                CMult(x, maskX), [.. children.Select(child => whole.AddNode(child.C, CMult(child.H, maskH)))]);
            return (node.C(0), node.H(0));
        }
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    public void Each_layer_has_its_mask_for_what_recurs(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model, layers: 2);
        BuilderChecks.Fill(_model);
        Expression x = Inputs()[0], given = Inputs()[1];
        TreeLstmState whole = builder.InitialState(_graph);
        builder.SetDropout(0, 0.5);
        float[] leaf = builder.InitialState(_graph).AddInput(x).Output.ToArray();
        Assert.That(leaf, Is.EqualTo(whole.AddInput(x).Output.ToArray()), "nothing recurs in a leaf");
        TreeLstmNode[] nodes =
            [.. Enumerable.Range(0, 8).Select(_ => builder.InitialState(_graph, given, given, given, given).AddInput(x))];
        builder.DisableDropout();
        AssertMasksDiffer(nodes, (first, second) =>
        {
            Expression h1 = CMult(given, first), h2 = CMult(given, second);
            if (builder is UnidirectionalTreeLstmBuilder chain)
            {
                LstmState state = chain.NodeBuilder.InitialState(_graph, given, given, h1, h2).AddInput(x);
                return (state.H(0), state.H(1));
            }
            TreeLstmNode node = whole.AddInput(x, whole.AddNode(given, given, h1, h2));
            return (node.H(0), node.H(1));
        });
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    public void Each_layer_has_its_mask_for_inputs(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model, layers: 2);
        BuilderChecks.Fill(_model);
        Expression x = Inputs()[0];
        builder.SetDropout(0.5, 0);
        TreeLstmNode[] nodes = [.. Enumerable.Range(0, 8).Select(_ => builder.InitialState(_graph).AddInput(x))];
        AssertMasksDiffer(nodes, (first, second) =>
        {
            Expression h = Leaf(0, CMult(x, first));
            return (h, Leaf(1, CMult(h, second)));
        });

        // A node without children, by the formula.
        Expression Leaf(int layer, Expression input)
        {
            IReadOnlyList<Parameter> p = builder.Parameters[layer];
            (Expression i, Expression o, Expression u) = kind switch
            {
                "nary" => (p[0] * input + p[1], p[4] * input + p[5], p[6] * input + p[7]),
                "child sum" => Split(p[0] * input + p[2], 4, 8),
                _ => Split(p[0] * input + p[2], 8, 12),
            };
            return CMult(Logistic(o), Tanh(CMult(Logistic(i), Tanh(u))));
        }

        static (Expression, Expression, Expression) Split(Expression sums, int o, int u) =>
            (PickRange(sums, 0, 4), PickRange(sums, o, o + 4), PickRange(sums, u, u + 4));
    }

    [TestCase(0.5, 0.5)]
    [TestCase(0.5, 0)]
    [TestCase(0, 0.5)]
    public void Both_directions_follow_the_formula_with_masks_of_their_own(double inputRate, double hiddenRate)
    {
        using var builder = new BidirectionalTreeLstmBuilder(_model, 1, 4, 4);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        builder.SetDropout(inputRate, hiddenRate);
        TreeLstmNode[][] trees =
        [
            .. Enumerable.Range(0, 8).Select(_ =>
            {
                TreeLstmState state = builder.InitialState(_graph);
                TreeLstmNode left = state.AddInput(xs[0]), right = state.AddInput(xs[1]);
                return (TreeLstmNode[])[left, right, state.AddInput(xs[2], left, right)];
            }),
        ];
        builder.DisableDropout();
        var found = new List<(string Ahead, string Back)>();
        foreach (TreeLstmNode[] tree in trees)
        {
            Expression left = tree[0].Output, right = tree[1].Output, top = tree[2].Output;
            (Expression X, Expression H) ahead = Find(builder.ForwardBuilder, 0, left, right);
            (Expression X, Expression H) back = Find(builder.BackwardBuilder, 2, right, left);
            BuilderChecks.AssertSame(
                _model,
                top,
                Concatenate(
                    Read(builder.ForwardBuilder, ahead, xs[2], left, right),
                    Read(builder.BackwardBuilder, back, xs[2], right, left)));
            found.Add(($"{Text(ahead.X)} {Text(ahead.H)}", $"{Text(back.X)} {Text(back.H)}"));

            // The masks of the half of the outputs that begins at a row.
            (Expression X, Expression H) Find(
                VanillaLstmBuilder lstm, int row, Expression first, Expression second)
            {
                Expression x = Masks(4, inputRate).First(
                    mask => IsSame(Half(left), lstm.InitialState(_graph).AddInput(CMult(xs[0], mask)).Output)
                        && IsSame(Half(right), lstm.InitialState(_graph).AddInput(CMult(xs[1], mask)).Output));
                Expression h = Masks(2, hiddenRate).First(
                    mask => IsSame(Half(top), Read(lstm, (x, mask), xs[2], first, second)));
                return (x, h);

                Expression Half(Expression output) => PickRange(output, row, row + 2);
            }
        }
        Assert.That(found, Has.Some.Matches<(string Ahead, string Back)>(masks => masks.Ahead != masks.Back));
        Assert.That(found.Select(masks => masks.Ahead).Distinct().Count(), Is.GreaterThan(1));
        Assert.That(found.Select(masks => masks.Back).Distinct().Count(), Is.GreaterThan(1));

        IEnumerable<Expression> Masks(int size, double rate) =>
            rate > 0 ? BuilderChecks.Masks(_graph, size) : [_graph.Constant([size], 1)];

        Expression Read(
            VanillaLstmBuilder lstm, (Expression X, Expression H) masks, params ReadOnlySpan<Expression> inputs)
        {
            LstmState state = lstm.InitialState(_graph).AddInput(CMult(inputs[0], masks.X));
            foreach (Expression input in inputs[1..])
                state = state.SetH(CMult(state.H(0), masks.H)).AddInput(CMult(input, masks.X));
            return state.Output;
        }
    }

    [Test]
    public void A_start_records_masks_and_no_step()
    {
        using TreeLstmBuilder one = Make("unidirectional", _model), both = Make("bidirectional", _model);
        one.SetDropout(0.5);
        both.SetDropout(0.5);
        long start = _graph.NodeCount;
        one.InitialState(_graph);
        long afterOne = _graph.NodeCount;
        both.InitialState(_graph, update: false);
        using (Assert.EnterMultipleScope())
        {
            // Two masks, each of ones; zeros for c and h; and the rates.
            Assert.That(afterOne - start, Is.LessThanOrEqualTo(6));
            Assert.That(_graph.NodeCount - afterOne, Is.LessThanOrEqualTo(12));
        }
    }

    [Test]
    public void Dropout_that_one_direction_cannot_have_none_has()
    {
        using var builder = new BidirectionalTreeLstmBuilder(_model, 1, 4, 4);
        BuilderChecks.Fill(_model);
        Expression x = Inputs()[0];
        float[] whole = Read();
        builder.BackwardBuilder.Dispose();
        Assert.That(() => builder.SetDropout(0.9), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Read(), Is.EqualTo(whole));

        float[] Read() => builder.ForwardBuilder.InitialState(_graph).AddInput(x).AddInput(x).Output.ToArray();
    }

    [TestCaseSource(nameof(Kinds))]
    public void Rates_can_be_read(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        builder.SetDropout(0.25, 0.5);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.InputDropout, Is.EqualTo(0.25));
            Assert.That(builder.HiddenDropout, Is.EqualTo(0.5));
            builder.DisableDropout();
            Assert.That(builder.InputDropout, Is.Zero);
            Assert.That(builder.HiddenDropout, Is.Zero);
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void A_rate_out_of_its_range_is_an_error(string kind)
    {
        TreeLstmBuilder builder = Make(kind, _model);
        using (Assert.EnterMultipleScope())
        {
            foreach (double rate in (ReadOnlySpan<double>)[1, -0.1, double.NaN])
            {
                Assert.That(() => builder.SetDropout(rate), Throws.TypeOf<ArgumentOutOfRangeException>());
                Assert.That(() => builder.SetDropout(0.5, rate), Throws.TypeOf<ArgumentOutOfRangeException>());
                Assert.That(() => builder.SetDropout(rate, 0.5), Throws.TypeOf<ArgumentOutOfRangeException>());
            }
        }
        builder.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => builder.SetDropout(0.5), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(builder.DisableDropout, Throws.TypeOf<ObjectDisposedException>());
        }
    }

    private static TreeLstmBuilder Make(string kind, Model model, int layers = 1) => kind switch
    {
        "nary" => new NaryTreeLstmBuilder(model, 2, layers, 4, 4),
        "child sum" => new ChildSumTreeLstmBuilder(model, layers, 4, 4),
        "unidirectional" => new UnidirectionalTreeLstmBuilder(model, layers, 4, 4),
        _ => new BidirectionalTreeLstmBuilder(model, layers, 4, 4),
    };

    private static bool IsSame(Expression left, Expression right) =>
        left.ToArray().Zip(right.ToArray(), (a, b) => Math.Abs(a - b)).Max() < 1e-6;

    private static string Text(Expression mask) => string.Join(" ", mask.ToArray());

    /// <summary>Finds the masks of two layers in nodes of several starts: each has its own.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="formula">h of both layers under masks; that of the first depends on the first alone.</param>
    private void AssertMasksDiffer(
        TreeLstmNode[] nodes, Func<Expression, Expression, (Expression First, Expression Second)> formula)
    {
        var found = new List<(string First, string Second)>();
        foreach (TreeLstmNode node in nodes)
        {
            Expression ones = _graph.Constant([4], 1);
            Expression first = BuilderChecks.Masks(_graph, 4).Single(
                mask => IsSame(node.H(0), formula(mask, ones).First));
            Expression second = BuilderChecks.Masks(_graph, 4).Single(
                mask => IsSame(node.Output, formula(first, mask).Second));
            BuilderChecks.AssertSame(_model, node.Output, formula(first, second).Second);
            found.Add((Text(first), Text(second)));
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found, Has.Some.Matches<(string First, string Second)>(masks => masks.First != masks.Second));
            Assert.That(found.Select(masks => masks.First).Distinct().Count(), Is.GreaterThan(1));
            Assert.That(found.Select(masks => masks.Second).Distinct().Count(), Is.GreaterThan(1));
        }
    }

    private Expression[] Inputs() =>
        [_graph.Input([1, -2, 0.5f, 0.1f]), _graph.Input([0.3f, 0.1f, -0.7f, 1]), _graph.Input([-1, 0.25f, 2, -0.5f])];
}
