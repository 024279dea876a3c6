using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>LSTMs over trees, each against its formula in elementary operations.</summary>
[TestFixture]
public sealed class TreeLstmBuilderTests() : GraphFixture(seed: 1)
{
    [Test]
    public void The_nary_one_has_dynets_parameters()
    {
        using var builder = new NaryTreeLstmBuilder(_model, 3, 2, 5, 4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                _model.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(Enumerable.Range(0, 2).SelectMany(layer => new[] { 0, 3, 4, 7, 8, 11, 12, 14 }.Select(
                    i => $"/nary-tree-lstm-builder/_{15 * layer + i} "
                        + (i is 0 or 4 or 8 or 12 ? $"{{4,{5 - layer}}}" : "{4}")))));
            Assert.That(
                _model.LookupParameters.Select(table => table.ToString()),
                Is.EqualTo(Enumerable.Range(0, 2).SelectMany(layer => new[] { 1, 2, 5, 6, 9, 10, 13 }.Select(
                    i => $"/nary-tree-lstm-builder/_{15 * layer + i} {(i is 5 or 6 ? 9 : 3)} x {{4,4}}"))));
            Assert.That(builder.Parameters.SelectMany(layer => layer), Is.EqualTo(_model.Parameters));
            Assert.That(builder.Tables.SelectMany(layer => layer), Is.EqualTo(_model.LookupParameters));
            Assert.That(builder.MaxChildren, Is.EqualTo(3));
            Assert.That(builder.Parameters[0][1].Values.ToArray(), Is.All.Zero);
        }
    }

    [Test]
    public void The_others_have_parameters_of_their_own()
    {
        using var childSum = new ChildSumTreeLstmBuilder(_model, 1, 5, 4);
        using var one = new UnidirectionalTreeLstmBuilder(_model, 1, 4, 4);
        using var both = new BidirectionalTreeLstmBuilder(_model, 1, 4, 4);
        Assert.That(
            _model.Parameters.Select(parameter => parameter.ToString()),
            Is.EqualTo(
            [
                "/child-sum-tree-lstm-builder/_0 {12,5}", "/child-sum-tree-lstm-builder/_1 {12,4}",
                "/child-sum-tree-lstm-builder/_2 {12}", "/child-sum-tree-lstm-builder/_3 {4,5}",
                "/child-sum-tree-lstm-builder/_4 {4,4}", "/child-sum-tree-lstm-builder/_5 {4}",
                "/unidirectional-tree-lstm-builder/vanilla-lstm-builder/_0 {16,4}",
                "/unidirectional-tree-lstm-builder/vanilla-lstm-builder/_1 {16,4}",
                "/unidirectional-tree-lstm-builder/vanilla-lstm-builder/_2 {16}",
                "/bidirectional-tree-lstm-builder/vanilla-lstm-builder/_0 {8,4}",
                "/bidirectional-tree-lstm-builder/vanilla-lstm-builder/_1 {8,2}",
                "/bidirectional-tree-lstm-builder/vanilla-lstm-builder/_2 {8}",
                "/bidirectional-tree-lstm-builder/vanilla-lstm-builder_1/_0 {8,4}",
                "/bidirectional-tree-lstm-builder/vanilla-lstm-builder_1/_1 {8,2}",
                "/bidirectional-tree-lstm-builder/vanilla-lstm-builder_1/_2 {8}",
            ]));
        Assert.That(both.Parameters.SelectMany(layer => layer), Is.EqualTo(_model.Parameters.Skip(9)));
        Assert.That(one.Parameters.SelectMany(layer => layer), Is.EqualTo(_model.Parameters.Skip(6).Take(3)));
    }

    [TestCase(1)]
    [TestCase(2)]
    public void The_nary_one_follows_the_formula(int layers)
    {
        using var builder = new NaryTreeLstmBuilder(_model, 2, layers, 4, 4);
        BuilderChecks.Fill(_model);
        AssertFollows(builder, (layer, x, children) =>
        {
            IReadOnlyList<Parameter> p = builder.Parameters[layer];
            IReadOnlyList<LookupParameter> t = builder.Tables[layer];
            Expression Sums(int weight, int u, int? v, int stride, int first)
            {
                Expression sums = p[weight] * x + p[weight + 1];
                for (int j = 0; j < children.Length; j++)
                {
                    // A third child has the weights of the second.
                    int row = stride * Math.Min(j, 1) + first;
                    sums += _graph.Lookup(t[u], row) * children[j].H;
                    if (v is { } look)
                        sums += _graph.Lookup(t[look], row) * children[j].C;
                }
                return sums;
            }

            Expression i = Logistic(Sums(0, 0, 1, 1, 0));
            Expression o = Logistic(Sums(4, 4, 5, 1, 0));
            Expression c = CMult(i, Tanh(Sums(6, 6, null, 1, 0)));
            for (int k = 0; k < children.Length; k++)
                c += CMult(Logistic(Sums(2, 2, 3, 2, Math.Min(k, 1)) + 1), children[k].C);
            return (c, CMult(o, Tanh(c)));
        });
    }

    [TestCase(1)]
    [TestCase(2)]
    public void The_child_sum_one_follows_the_formula(int layers)
    {
        using var builder = new ChildSumTreeLstmBuilder(_model, layers, 4, 4);
        BuilderChecks.Fill(_model);
        AssertFollows(builder, (layer, x, children) =>
        {
            IReadOnlyList<Parameter> p = builder.Parameters[layer];
            Expression sums = p[0] * x + p[2];
            foreach ((_, Expression h) in children)
                sums += p[1] * h;
            Expression i = Logistic(PickRange(sums, 0, 4));
            Expression o = Logistic(PickRange(sums, 4, 8));
            Expression c = CMult(i, Tanh(PickRange(sums, 8, 12)));
            foreach ((Expression childC, Expression childH) in children)
                c += CMult(Logistic(p[3] * x + p[4] * childH + p[5]), childC);
            return (c, CMult(o, Tanh(c)));
        });
    }

    [Test]
    public void The_unidirectional_one_reads_node_and_children()
    {
        using var builder = new UnidirectionalTreeLstmBuilder(_model, 2, 4, 4);
        BuilderChecks.Fill(_model);
        TreeLstmState trees = builder.InitialState(_graph);
        Expression[] xs = Inputs();
        TreeLstmNode left = trees.AddInput(xs[0]), right = trees.AddInput(xs[1]);
        TreeLstmNode top = trees.AddInput(xs[2], left, right);

        LstmState start = builder.NodeBuilder.InitialState(_graph);
        LstmState state = start.AddInput(xs[2]).AddInput(start.AddInput(xs[0]).Output)
            .AddInput(start.AddInput(xs[1]).Output);
        BuilderChecks.AssertSame(_model, top.Output, state.Output);
        using (Assert.EnterMultipleScope())
        {
            for (int layer = 0; layer < 2; layer++)
            {
                Assert.That(top.C(layer).ToArray(), Is.EqualTo(state.C(layer).ToArray()));
                Assert.That(top.H(layer).ToArray(), Is.EqualTo(state.H(layer).ToArray()));
            }
        }
    }

    [Test]
    public void The_bidirectional_one_reads_children_in_both_orders()
    {
        using var builder = new BidirectionalTreeLstmBuilder(_model, 1, 4, 4);
        BuilderChecks.Fill(_model);
        TreeLstmState trees = builder.InitialState(_graph);
        Expression[] xs = Inputs();
        TreeLstmNode left = trees.AddInput(xs[0]), right = trees.AddInput(xs[1]);
        TreeLstmNode top = trees.AddInput(xs[2], left, right);

        LstmState ahead = builder.ForwardBuilder.InitialState(_graph);
        LstmState back = builder.BackwardBuilder.InitialState(_graph);
        Expression Leaf(Expression x) => Concatenate(ahead.AddInput(x).Output, back.AddInput(x).Output);
        Expression first = Leaf(xs[0]), second = Leaf(xs[1]);
        Expression expected = Concatenate(
            ahead.AddInput(xs[2]).AddInput(first).AddInput(second).Output,
            back.AddInput(xs[2]).AddInput(second).AddInput(first).Output);
        BuilderChecks.AssertSame(_model, top.Output, expected);
        Assert.That(() => top.C(0), Throws.InvalidOperationException);
        Assert.That(() => top.H(0), Throws.InvalidOperationException);
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    public void A_leaf_may_begin_with_given_values(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        TreeLstmNode child = builder.InitialState(_graph).AddInput(xs[0]);
        Expression expected = builder.InitialState(_graph).AddInput(xs[1], child).Output;
        TreeLstmState given = builder.InitialState(_graph, child.C(0), child.H(0));
        Assert.That(given.AddInput(xs[1]).Output.ToArray(), Is.EqualTo(expected.ToArray()).Within(1e-6));
    }

    [Test]
    public void A_sequence_may_begin_with_given_values()
    {
        using var builder = new UnidirectionalTreeLstmBuilder(_model, 1, 4, 4);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        Expression found = builder.InitialState(_graph, xs[1], xs[2]).AddInput(xs[0]).Output;
        Expression expected = builder.NodeBuilder.InitialState(_graph, xs[1], xs[2]).AddInput(xs[0]).Output;
        Assert.That(found.ToArray(), Is.EqualTo(expected.ToArray()));
    }

    [Test]
    public void Nodes_of_one_depth_are_computed_together()
    {
        using var builder = new NaryTreeLstmBuilder(_model, 2, 1, 4, 4);
        TreeLstmState trees = builder.InitialState(_graph);
        TreeLstmNode[] tops =
        [
            .. Enumerable.Range(1, 8).Select(i => trees.AddInput(
                _graph.Input([i, 1, 2, 3]),
                trees.AddInput(_graph.Input([1, i, 2, 3])),
                trees.AddInput(_graph.Input([1, 2, i, 3])))),
        ];
        _ = Sum(tops.Select(top => top.Output)).ToArray();
        BatchStats stats = _graph.BatchStats;
        Assert.That(stats.Batches * 4, Is.LessThan(stats.Nodes), $"{stats}");
    }

    [Test]
    public void Rows_are_looked_up_once_and_when_a_node_needs_them()
    {
        using var builder = new NaryTreeLstmBuilder(_model, 64, 1, 4, 4);
        Expression x = Inputs()[0];
        TreeLstmState trees = builder.InitialState(_graph);
        TreeLstmNode leaf = trees.AddInput(x);
        Assert.That(_graph.NodeCount, Is.LessThan(32));
        long before = _graph.NodeCount;
        trees.AddInput(x, leaf, leaf);
        long first = _graph.NodeCount - before;
        before = _graph.NodeCount;
        trees.AddInput(x, leaf, leaf);
        // Two rows of each of Ui, Vi, Uo, Vo and Uu, four of Uf and Vf; and Wf and bf, which a leaf does not need.
        Assert.That(first - (_graph.NodeCount - before), Is.EqualTo(5 * 2 + 2 * 4 + 2));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Rows_that_a_revert_took_back_are_looked_up_again(bool update)
    {
        using var builder = new NaryTreeLstmBuilder(_model, 2, 2, 4, 4);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        TreeLstmState trees = builder.InitialState(_graph, update);
        TreeLstmNode left = trees.AddInput(xs[0]), right = trees.AddInput(xs[1]);
        _graph.Checkpoint();
        float[] expected = trees.AddInput(xs[2], left, right).Output.ToArray();
        _graph.Revert();
        Assert.That(trees.AddInput(xs[2], left, right).Output.ToArray(), Is.EqualTo(expected));
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    [TestCase("bidirectional")]
    public void A_file_fills_it(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        BuilderChecks.Fill(_model);
        using var stream = new MemoryStream();
        _model.Save(stream);
        stream.Position = 0;
        using var otherModel = new Model(seed: 5);
        using TreeLstmBuilder other = Make(kind, otherModel);
        otherModel.Populate(stream);
        Assert.That(Read(other), Is.EqualTo(Read(builder)));
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    [TestCase("bidirectional")]
    public void Parameters_may_be_constants(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        BuilderChecks.Fill(_model);
        Parameter x = _model.AddParameters([4]);
        Expression trained = Read(builder.InitialState(_graph));
        Expression constant = Read(builder.InitialState(_graph, update: false));
        SumElems(trained).Backward();
        float[] expected = x.Gradient.ToArray();
        _model.ResetGradients();
        SumElems(constant).Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(constant.ToArray(), Is.EqualTo(trained.ToArray()).Within(1e-6));
            Assert.That(x.Gradient.ToArray(), Is.EqualTo(expected).Within(1e-5));
            foreach (Parameter parameter in builder.Parameters.SelectMany(layer => layer))
                Assert.That(parameter.Gradient.ToArray(), Is.All.Zero, parameter.Name);
            foreach (LookupParameter table in _model.LookupParameters)
                Assert.That(table.RowGradient(0), Is.All.Zero, table.Name);
        }

        Expression Read(TreeLstmState trees) => trees.AddInput(x, trees.AddInput(x), trees.AddInput(x)).Output;
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    [TestCase("bidirectional")]
    public void Copies_the_parameters_of_another(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        using var otherModel = new Model(seed: 7);
        using TreeLstmBuilder other = Make(kind, otherModel);
        using var wider = new NaryTreeLstmBuilder(otherModel, 3, 1, 4, 4);
        using var deeper = new ChildSumTreeLstmBuilder(otherModel, 2, 4, 4);
        BuilderChecks.Fill(otherModel);
        float[][] before = [.. _model.Parameters.Select(parameter => parameter.Values.ToArray())];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => builder.CopyFrom(wider), Throws.ArgumentException);
            Assert.That(() => builder.CopyFrom(deeper), Throws.ArgumentException);
            Assert.That(() => builder.CopyFrom(null!), Throws.ArgumentNullException);
            Assert.That(
                _model.Parameters.Select(parameter => parameter.Values.ToArray()), Is.EqualTo(before),
                "failures change nothing");
        }
        builder.CopyFrom(other);
        float[] expected = Read(other);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Read(builder), Is.EqualTo(expected));
            Assert.That(
                _model.LookupParameters.Select(table => table.Values.ToArray()),
                Is.EqualTo(otherModel.LookupParameters.Take(_model.LookupParameters.Count)
                    .Select(table => table.Values.ToArray())));
        }
        builder.Parameters[0][0].Zero();
        Assert.That(Read(other), Is.EqualTo(expected), "each has its own");
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    public void A_node_may_be_given(string kind)
    {
        using TreeLstmBuilder builder = Make(kind, _model);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        TreeLstmState trees = builder.InitialState(_graph);
        TreeLstmNode child = trees.AddInput(xs[0]);
        TreeLstmNode given = trees.AddNode(child.C(0), child.H(0));
        Expression expected = trees.AddInput(xs[1], child, trees.AddInput(xs[2])).Output;
        Expression found = trees.AddInput(xs[1], given, trees.AddInput(xs[2])).Output;
        BuilderChecks.AssertSame(_model, found, expected);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(given.Output, Is.EqualTo(child.H(0)));
            Assert.That(given.C(0), Is.EqualTo(child.C(0)));
            Assert.That(() => trees.AddNode(xs[0]), Throws.ArgumentException.With.Message.Contains("1 values"));
            Assert.That(() => trees.AddNode(), Throws.ArgumentException);
            Assert.That(
                () => trees.AddNode(xs[0], _graph.Input([1, 2])),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{2}").And.Message.Contains("{4}"));
            Assert.That(() => trees.AddNode(xs[0], default), Throws.TypeOf<StaleExpressionException>());
        }
        builder.Dispose();
        Assert.That(() => trees.AddNode(xs[0], xs[1]), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_node_of_two_networks_cannot_be_given()
    {
        using var builder = new BidirectionalTreeLstmBuilder(_model, 1, 4, 4);
        TreeLstmState trees = builder.InitialState(_graph);
        Expression half = _graph.Input([1, 2]);
        Assert.That(() => trees.AddNode(half, half), Throws.InvalidOperationException);
    }

    [TestCase("nary")]
    [TestCase("child sum")]
    [TestCase("unidirectional")]
    [TestCase("bidirectional")]
    public void Wrong_use_is_an_error(string kind)
    {
        TreeLstmBuilder builder = Make(kind, _model);
        using TreeLstmBuilder other = Make(kind, _model);
        TreeLstmState trees = builder.InitialState(_graph);
        Expression x = Inputs()[0];
        TreeLstmNode foreign = other.InitialState(_graph).AddInput(x);
        TreeLstmNode node = trees.AddInput(x);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => trees.AddInput(_graph.Input([1, 2])),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{2}").And.Message.Contains("{4}"));
            Assert.That(() => trees.AddInput(default), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => trees.AddInput(x, default(TreeLstmNode)), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => trees.AddInput(x, node, foreign), Throws.ArgumentException);
            Assert.That(() => default(TreeLstmNode).Output, Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => node.C(1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => builder.InitialState(_graph, x), Throws.ArgumentException);
            Assert.That(
                () => builder.InitialState(_graph, x, _graph.Input([1, 2, 3])),
                Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => builder.InitialState(null!), Throws.ArgumentNullException);
        }
        builder.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => trees.AddInput(x), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => builder.InitialState(_graph), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(builder.Dispose, Throws.Nothing, "a second time");
        }
        _graph.Renew();
        Expression fresh = Inputs()[0];
        TreeLstmState again = other.InitialState(_graph);
        Assert.That(() => again.AddInput(fresh, foreign), Throws.TypeOf<StaleExpressionException>());
    }

    [Test]
    public void Sizes_must_fit()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => new NaryTreeLstmBuilder(_model, 0, 1, 2, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new NaryTreeLstmBuilder(_model, 2, 0, 2, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new ChildSumTreeLstmBuilder(_model, 1, 0, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new UnidirectionalTreeLstmBuilder(_model, 1, 2, 4), Throws.ArgumentException);
            Assert.That(() => new BidirectionalTreeLstmBuilder(_model, 1, 3, 3), Throws.ArgumentException);
            Assert.That(() => new BidirectionalTreeLstmBuilder(_model, 1, 2, 4), Throws.ArgumentException);
            Assert.That(() => new NaryTreeLstmBuilder(null!, 2, 1, 2, 2), Throws.ArgumentNullException);
        }
        Assert.That(_model.Parameters, Is.Empty);
    }

    private static TreeLstmBuilder Make(string kind, Model model) => kind switch
    {
        "nary" => new NaryTreeLstmBuilder(model, 2, 1, 4, 4),
        "child sum" => new ChildSumTreeLstmBuilder(model, 1, 4, 4),
        "unidirectional" => new UnidirectionalTreeLstmBuilder(model, 1, 4, 4),
        _ => new BidirectionalTreeLstmBuilder(model, 1, 4, 4),
    };

    /// <summary>The output of a node with two leaves.</summary>
    private float[] Read(TreeLstmBuilder builder)
    {
        Expression[] xs = Inputs();
        TreeLstmState trees = builder.InitialState(_graph);
        return trees.AddInput(xs[0], trees.AddInput(xs[1]), trees.AddInput(xs[2])).Output.ToArray();
    }

    /// <summary>Compares a tree of leaves and nodes of one, two and three children.</summary>
    private void AssertFollows(
        TreeLstmBuilder builder,
        Func<int, Expression, (Expression C, Expression H)[], (Expression C, Expression H)> cell)
    {
        Expression[] xs = Inputs();
        TreeLstmState trees = builder.InitialState(_graph);
        TreeLstmNode a = trees.AddInput(xs[0]), b = trees.AddInput(xs[1]);
        TreeLstmNode pair = trees.AddInput(xs[2], a, b);
        TreeLstmNode single = trees.AddInput(xs[0], b);
        TreeLstmNode top = trees.AddInput(xs[1], pair, single, a);

        (Expression C, Expression H)[] refA = Node(xs[0]), refB = Node(xs[1]);
        (Expression C, Expression H)[] refPair = Node(xs[2], refA, refB), refSingle = Node(xs[0], refB);
        (Expression C, Expression H)[] refTop = Node(xs[1], refPair, refSingle, refA);
        using (Assert.EnterMultipleScope())
        {
            for (int layer = 0; layer < builder.Layers; layer++)
            {
                Assert.That(top.C(layer).ToArray(), Is.EqualTo(refTop[layer].C.ToArray()).Within(1e-5));
                Assert.That(top.H(layer).ToArray(), Is.EqualTo(refTop[layer].H.ToArray()).Within(1e-5));
                Assert.That(a.C(layer).ToArray(), Is.EqualTo(refA[layer].C.ToArray()).Within(1e-5));
            }
        }
        BuilderChecks.AssertSame(_model, top.Output, refTop[^1].H);

        (Expression C, Expression H)[] Node(Expression x, params (Expression C, Expression H)[][] children)
        {
            var made = new (Expression C, Expression H)[builder.Layers];
            for (int layer = 0; layer < made.Length; layer++)
            {
                made[layer] = cell(layer, x, [.. children.Select(child => child[layer])]);
                x = made[layer].H;
            }
            return made;
        }
    }

    private Expression[] Inputs() =>
        [_graph.Input([1, -2, 0.5f, 0.1f]), _graph.Input([0.3f, 0.1f, -0.7f, 1]), _graph.Input([-1, 0.25f, 2, -0.5f])];
}
