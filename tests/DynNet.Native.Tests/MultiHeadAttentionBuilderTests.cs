using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>The builder of attention: its parameters, and the formula step by step.</summary>
[TestFixture]
public sealed class MultiHeadAttentionBuilderTests : GraphFixture
{
    [Test]
    public void Makes_its_parameters_in_a_sub_collection()
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6, 3);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(attention.Heads, Is.EqualTo(2));
            Assert.That(attention.Dim, Is.EqualTo(6));
            Assert.That(attention.KeyDim, Is.EqualTo(3));
            Assert.That(attention.ValueDim, Is.EqualTo(3));
            Assert.That(attention.HasBiases, Is.False);
            Assert.That(
                _model.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(
                [
                    "/multi-head-attention-builder/Wq {6,6}", "/multi-head-attention-builder/Wk {6,3}",
                    "/multi-head-attention-builder/Wv {6,3}", "/multi-head-attention-builder/Wo {6,6}",
                ]));
        }
    }

    [Test]
    public void Makes_biases_of_zeros_behind_its_matrices()
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6, 3, 5, bias: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(attention.KeyDim, Is.EqualTo(3));
            Assert.That(attention.ValueDim, Is.EqualTo(5));
            Assert.That(attention.HasBiases);
            Assert.That(attention.Parameters, Is.EqualTo(_model.Parameters));
            Assert.That(
                _model.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(
                [
                    "/multi-head-attention-builder/Wq {6,6}", "/multi-head-attention-builder/Wk {6,3}",
                    "/multi-head-attention-builder/Wv {6,5}", "/multi-head-attention-builder/Wo {6,6}",
                    "/multi-head-attention-builder/bq {6}", "/multi-head-attention-builder/bk {6}",
                    "/multi-head-attention-builder/bv {6}", "/multi-head-attention-builder/bo {6}",
                ]));
            foreach (Parameter bias in attention.Parameters.Skip(4))
                Assert.That(bias.Values.ToArray(), Is.All.Zero);
        }
    }

    [Test]
    public void Two_builders_have_parameters_of_their_own()
    {
        _ = new MultiHeadAttentionBuilder(_model, 1, 2);
        _ = new MultiHeadAttentionBuilder(_model, 1, 2);
        Assert.That(_model.Parameters.Select(parameter => parameter.Name).Distinct().Count(), Is.EqualTo(8));
    }

    [TestCase(1, 4)]
    [TestCase(2, 4)]
    [TestCase(3, 15)]
    public void Self_attention_follows_the_formula(int heads, int columns)
    {
        var attention = new MultiHeadAttentionBuilder(_model, heads, 6);
        Expression x = Columns(6, columns, 0.37);
        AssertSame(attention.Attend(x), Steps(heads, 6, x, x, x, null), x);
    }

    [TestCase(1)]
    [TestCase(2)]
    public void Cross_attention_follows_the_formula(int heads)
    {
        var attention = new MultiHeadAttentionBuilder(_model, heads, 6, 3);
        Expression x = Columns(6, 4, 0.37), memory = Columns(3, 5, 0.73);
        AssertSame(attention.Attend(x, memory), Steps(heads, 6, x, memory, memory, null), x, memory);
    }

    [TestCase(5, 4, 1)]
    [TestCase(5, 1, 1)]
    [TestCase(1, 4, 1)]
    [TestCase(5, 4, 2)]
    [TestCase(5, 1, 2)]
    [TestCase(1, 4, 2)]
    [TestCase(1, 1, 2)]
    public void A_mask_is_added_to_the_scores(int keys, int queries, int heads)
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6, 3);
        Expression x = Columns(6, 4, 0.37), memory = Columns(3, 5, 0.73);
        Expression mask = Reshape(Columns(keys * queries, heads, 0.91), [keys, queries, heads]);
        AssertSame(attention.Attend(x, memory, memory, mask), Steps(2, 6, x, memory, memory, mask), x, memory, mask);
    }

    [TestCase(false, false)]
    [TestCase(false, true)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public void Keys_and_values_of_their_own_follow_the_formula(bool bias, bool masked)
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6, 3, 5, bias);
        Expression x = Columns(6, 4, 0.37), keys = Columns(3, 5, 0.73), values = Columns(5, 5, 0.57);
        Expression? mask = masked ? Columns(5, 4, 0.91) : default(Expression?);
        SetBiases(attention);
        Expression[] operands = mask is { } added ? [x, keys, values, added] : [x, keys, values];
        AssertSame(attention.Attend(x, keys, values, mask), Steps(2, 6, x, keys, values, mask), operands);
        if (!masked)
            AssertSame(attention.Attend(x, keys, values), Steps(2, 6, x, keys, values, null), operands);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Weights_follow_the_formula(bool bias)
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6, 3, bias: bias);
        Expression x = Columns(6, 4, 0.37), memory = Columns(3, 5, 0.73), mask = Columns(5, 4, 0.91);
        SetBiases(attention);
        AssertSame(attention.Weights(x, memory), WeightSteps(2, 6, x, memory, null), x, memory);
        AssertSame(attention.Weights(x, memory, mask), WeightSteps(2, 6, x, memory, mask), x, memory, mask);
        float[] causal = attention.Weights(x, memory, causal: true).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(causal, Has.Length.EqualTo(5 * 4 * 2));
            for (int i = 0; i < causal.Length; i++)
                Assert.That(causal[i], (i % 5) <= (i / 5 % 4) + 1 ? Is.Positive : Is.Zero);
        }
    }

    [Test]
    public void Causal_attention_is_attention_with_a_mask_of_what_comes_later()
    {
        const int columns = 4;
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6);
        Expression x = Columns(6, columns, 0.37);
        float[] later =
        [
            .. from query in Enumerable.Range(0, columns)
               from key in Enumerable.Range(0, columns)
               select key > query ? float.NegativeInfinity : 0,
        ];
        Expression mask = _graph.Input([columns, columns], later);
        AssertSame(attention.Attend(x, causal: true), attention.Attend(x, x, x, mask), x);
        // The first column sees itself alone.
        Expression first = PickRange(attention.Attend(x, causal: true), 0, 1, 1);
        Expression alone = attention.Attend(PickRange(x, 0, 1, 1));
        Assert.That(first.ToArray(), Is.EqualTo(alone.ToArray()).Within(1e-6));
    }

    [Test]
    public void Parameters_may_be_constants()
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6, 3);
        var own = new MultiHeadAttentionBuilder(_model, 2, 6);
        Expression x = Columns(6, 4, 0.37), memory = Columns(3, 5, 0.73), mask = Columns(5, 4, 0.91);
        AssertConstant(update => own.Attend(x, update: update), x);
        AssertConstant(update => own.Attend(x, causal: true, update), x);
        AssertConstant(update => attention.Attend(x, memory, update: update), x, memory);
        AssertConstant(update => attention.Attend(x, memory, memory, mask, update: update), x, memory, mask);
        AssertConstant(update => attention.Attend(x, memory, memory, null, update: update), x, memory);
        AssertConstant(update => attention.Weights(x, memory, mask, update: update), x, memory, mask);

        void AssertConstant(Func<bool, Expression> attend, params Expression[] operands)
        {
            (float[] Value, float[][] Gradients) trained = ValueAndGradients(attend(true), operands);
            (float[] Value, float[][] Gradients) constant = ValueAndGradients(attend(false), operands);
            using (Assert.EnterMultipleScope())
            {
                Assert.That(constant.Value, Is.EqualTo(trained.Value).Within(1e-6));
                for (int i = 0; i < operands.Length; i++)
                    Assert.That(constant.Gradients[i], Is.EqualTo(trained.Gradients[i]).Within(1e-5));
                Assert.That(trained.Gradients[operands.Length..].SelectMany(each => each), Has.Some.Not.Zero);
                Assert.That(constant.Gradients[operands.Length..].SelectMany(each => each), Is.All.Zero);
            }
        }
    }

    [Test]
    public void Copies_the_parameters_of_another()
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6, 3);
        var other = new MultiHeadAttentionBuilder(_model, 2, 6, 3);
        var wider = new MultiHeadAttentionBuilder(_model, 2, 6, 4);
        var more = new MultiHeadAttentionBuilder(_model, 3, 6, 3);
        var biased = new MultiHeadAttentionBuilder(_model, 2, 6, 3, bias: true);
        Expression x = Columns(6, 4, 0.37), memory = Columns(3, 5, 0.73);
        float[] before = attention.Attend(x, memory).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(attention.Parameters, Is.EqualTo(_model.Parameters.Take(4)));
            Assert.That(() => attention.CopyFrom(wider), Throws.ArgumentException.With.Message.Contains("{6,4}"));
            Assert.That(() => attention.CopyFrom(more), Throws.ArgumentException.With.Message.Contains("3 heads"));
            Assert.That(() => attention.CopyFrom(biased), Throws.ArgumentException.With.Message.Contains("bo {6}"));
            Assert.That(() => attention.CopyFrom(null!), Throws.ArgumentNullException);
            Assert.That(attention.Attend(x, memory).ToArray(), Is.EqualTo(before), "failures change nothing");
        }
        attention.CopyFrom(other);
        using var graph = new ComputationGraph();
        float[] numbers = x.ToArray(), others = memory.ToArray();
        Assert.That(Attend(attention), Is.EqualTo(Attend(other)));

        float[] Attend(MultiHeadAttentionBuilder builder) =>
            builder.Attend(graph.Input([6, 4], numbers), graph.Input([3, 5], others)).ToArray();
    }

    [Test]
    public void Output_dropout_falls_on_the_output()
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6);
        Expression x = Columns(6, 40, 0.37);
        float[] whole = attention.Attend(x).ToArray();
        attention.OutputDropout = 0.5;
        float[] dropped = attention.Attend(x).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dropped.Count(value => value == 0), Is.InRange(60, 180));
            for (int i = 0; i < whole.Length; i++)
            {
                if (dropped[i] != 0)
                    Assert.That(dropped[i], Is.EqualTo(2 * whole[i]).Within(1e-6));
            }
            attention.OutputDropout = 0;
            Assert.That(attention.Attend(x).ToArray(), Is.EqualTo(whole));
        }
    }

    /// <summary>In the same place of a graph of the same seed the operation drops the same weights.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void Attention_dropout_falls_on_the_weights(bool masked)
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6);
        float[] whole = Attended(0);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Attended(0.5), Is.Not.EqualTo(whole));
            Assert.That(Attended(0.5), Is.EqualTo(Expected(0.5)));
            Assert.That(Attended(0), Is.EqualTo(whole));
            Assert.That(Expected(0), Is.EqualTo(whole));
        }

        float[] Attended(double rate)
        {
            attention.AttentionDropout = rate;
            using var graph = new ComputationGraph(seed: 5);
            (Expression x, Expression mask) = Operands(graph);
            return (masked ? attention.Attend(x, x, x, mask) : attention.Attend(x)).ToArray();
        }

        float[] Expected(double rate)
        {
            using var graph = new ComputationGraph(seed: 5);
            (Expression x, Expression mask) = Operands(graph);
            Expression q = Own("Wq") * x, k = Own("Wk") * x, v = Own("Wv") * x;
            Expression heads = masked
                ? MultiHeadAttention(q, k, v, mask, 2, dropout: rate)
                : MultiHeadAttention(q, k, v, 2, dropout: rate);
            return (Own("Wo") * heads).ToArray();
        }

        static (Expression X, Expression Mask) Operands(ComputationGraph graph) =>
            (graph.Input([6, 4], [.. Enumerable.Range(1, 24).Select(i => (float)Math.Sin(i * i))]),
                graph.Input([4], [0, 1, 0, -1]));
    }

    [Test]
    public void Refuses_sizes_and_rates_out_of_their_range()
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => new MultiHeadAttentionBuilder(null!, 1, 2), Throws.ArgumentNullException);
            Assert.That(
                () => new MultiHeadAttentionBuilder(_model, 0, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new MultiHeadAttentionBuilder(_model, 1, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new MultiHeadAttentionBuilder(_model, 1, 1, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new MultiHeadAttentionBuilder(_model, 4, 6),
                Throws.ArgumentException.With.Message.Contains("6").And.Message.Contains("4"));
            Assert.That(
                () => new MultiHeadAttentionBuilder(_model, 1, 1, 1, -1), Throws.TypeOf<ArgumentOutOfRangeException>());
            foreach (double rate in new[] { 1, -0.1, double.NaN })
            {
                Assert.That(() => attention.OutputDropout = rate, Throws.TypeOf<ArgumentOutOfRangeException>());
                Assert.That(() => attention.AttentionDropout = rate, Throws.TypeOf<ArgumentOutOfRangeException>());
            }
            Assert.That(attention.OutputDropout, Is.Zero);
            Assert.That(attention.AttentionDropout, Is.Zero);
            Parameter bare = _model.AddParameters([6, 2]);
            Expression bound = _graph.Parameter(bare);
            Assert.That(() => attention.Attend(bare), Throws.ArgumentException);
            Assert.That(() => attention.Attend(bare, bound), Throws.ArgumentException);
            Assert.That(() => attention.Attend(bare, bound, bound, Columns(2, 2, 0.1)), Throws.ArgumentException);
            Assert.That(() => attention.Attend(bare, bound, bound, null), Throws.ArgumentException);
            Assert.That(() => attention.Weights(bare, bound), Throws.ArgumentException);
            Assert.That(
                attention.Attend(bound, bare, bare, null).ToArray(), Is.EqualTo(attention.Attend(bound).ToArray()),
                "keys and values may be one");
            Assert.That(
                attention.Attend(bound, bare).ToArray(), Is.EqualTo(attention.Attend(bound, bound).ToArray()),
                "a memory may be one");
            Assert.That(
                () => attention.Attend(Columns(5, 2, 0.1)),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{5,2}"));
        }
    }

    /// <summary>Numbers between -1 and 1 that are all different.</summary>
    private Expression Columns(int rows, int columns, double step) => _graph.Input(
        [rows, columns], [.. Enumerable.Range(1, rows * columns).Select(i => (float)Math.Sin(step * i * i))]);

    /// <summary>Numbers between -1 and 1 for biases, which are 0 at first.</summary>
    private static void SetBiases(MultiHeadAttentionBuilder attention)
    {
        foreach (Parameter each in attention.Parameters.Skip(4))
            each.SetValues([.. Enumerable.Range(1, 6).Select(i => (float)Math.Cos(i * each.Name.Sum(c => c)))]);
    }

    private Parameter Own(string name) => _model["/multi-head-attention-builder/" + name];

    /// <summary>A product with a matrix, and its bias if there is one.</summary>
    private Expression Projected(string name, Expression x)
    {
        Expression product = Own("W" + name) * x;
        return _model.Parameters.Count > 4 ? ColwiseAdd(product, Own("b" + name)) : product;
    }

    /// <summary>The weights of one head, of elementary operations.</summary>
    private static Expression HeadWeights(int head, int heads, Expression q, Expression k, Expression? mask, int rows)
    {
        Expression Part(Expression of) => PickRange(of, head * rows, (head + 1) * rows);

        Expression scores = Transpose(Part(k)) * Part(q) * (1 / Math.Sqrt(rows));
        if (mask is { } added)
            scores += added.Dim[2] == heads ? Pick(added, head, 2) : added;
        return Softmax(scores);
    }

    /// <summary>The formula of elementary operations.</summary>
    private Expression Steps(
        int heads, int dim, Expression x, Expression keys, Expression values, Expression? mask)
    {
        Expression q = Projected("q", x), k = Projected("k", keys), v = Projected("v", values);
        int rows = dim / heads;
        return Projected("o", Concatenate(
        [
            .. Enumerable.Range(0, heads).Select(head =>
                PickRange(v, head * rows, (head + 1) * rows) * HeadWeights(head, heads, q, k, mask, rows)),
        ]));
    }

    private Expression WeightSteps(int heads, int dim, Expression x, Expression keys, Expression? mask)
    {
        Expression q = Projected("q", x), k = Projected("k", keys);
        return Concatenate(
            [.. Enumerable.Range(0, heads).Select(head => HeadWeights(head, heads, q, k, mask, dim / heads))], 2);
    }

    /// <summary>The same values, and the same gradients of operands and parameters.</summary>
    private void AssertSame(Expression one, Expression other, params Expression[] operands)
    {
        (float[] Value, float[][] Gradients) first = ValueAndGradients(one, operands);
        (float[] Value, float[][] Gradients) second = ValueAndGradients(other, operands);
        double[] largest = [.. second.Gradients.Select(Largest)];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(first.Value, Is.EqualTo(second.Value).Within(1e-6 * Math.Min(1, Largest(second.Value))));
            for (int i = 0; i < first.Gradients.Length; i++)
            {
                // That of the bias of keys, and of one number for all keys, is 0 but for the rounding of the others.
                double scale = Math.Min(1, Math.Max(largest[i], largest.Max() / 10));
                Assert.That(
                    first.Gradients[i], Is.EqualTo(second.Gradients[i]).Within(1e-5 * scale), $"gradient {i}");
            }
        }

        static double Largest(float[] numbers) => numbers.Max(number => Math.Abs((double)number));
    }

    private (float[] Value, float[][] Gradients) ValueAndGradients(Expression y, Expression[] operands)
    {
        _model.ResetGradients();
        SumElems(Square(y)).Backward(full: true);
        return (
            y.ToArray(),
            [
                .. operands.Select(operand => operand.Gradient().ToArray()),
                .. _model.Parameters.Select(parameter => parameter.Gradient.ToArray()),
            ]);
    }
}
