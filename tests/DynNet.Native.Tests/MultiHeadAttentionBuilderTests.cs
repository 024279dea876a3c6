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
            Assert.That(attention.MemoryDim, Is.EqualTo(3));
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
        AssertSame(attention.Attend(x), Steps(heads, 6, x, x, null), x);
    }

    [TestCase(1)]
    [TestCase(2)]
    public void Cross_attention_follows_the_formula(int heads)
    {
        var attention = new MultiHeadAttentionBuilder(_model, heads, 6, 3);
        Expression x = Columns(6, 4, 0.37), memory = Columns(3, 5, 0.73);
        AssertSame(attention.Attend(x, memory), Steps(heads, 6, x, memory, null), x, memory);
    }

    [Test]
    public void A_mask_is_added_to_the_scores()
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6, 3);
        Expression x = Columns(6, 4, 0.37), memory = Columns(3, 5, 0.73), mask = Columns(5, 4, 0.91);
        AssertSame(attention.Attend(x, memory, mask), Steps(2, 6, x, memory, mask), x, memory, mask);
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
        AssertSame(attention.Attend(x, causal: true), attention.Attend(x, x, mask), x);
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
        AssertConstant(update => attention.Attend(x, memory, mask, update: update), x, memory, mask);

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
        Expression x = Columns(6, 4, 0.37), memory = Columns(3, 5, 0.73);
        float[] before = attention.Attend(x, memory).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(attention.Parameters, Is.EqualTo(_model.Parameters.Take(4)));
            Assert.That(() => attention.CopyFrom(wider), Throws.ArgumentException.With.Message.Contains("{6,4}"));
            Assert.That(() => attention.CopyFrom(more), Throws.ArgumentException.With.Message.Contains("3 heads"));
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
    public void Dropout_falls_on_the_output()
    {
        var attention = new MultiHeadAttentionBuilder(_model, 2, 6);
        Expression x = Columns(6, 40, 0.37);
        float[] whole = attention.Attend(x).ToArray();
        attention.Dropout = 0.5;
        float[] dropped = attention.Attend(x).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dropped.Count(value => value == 0), Is.InRange(60, 180));
            for (int i = 0; i < whole.Length; i++)
            {
                if (dropped[i] != 0)
                    Assert.That(dropped[i], Is.EqualTo(2 * whole[i]).Within(1e-6));
            }
            attention.Dropout = 0;
            Assert.That(attention.Attend(x).ToArray(), Is.EqualTo(whole));
        }
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
            Assert.That(() => attention.Dropout = 1, Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => attention.Dropout = double.NaN, Throws.TypeOf<ArgumentOutOfRangeException>());
            Parameter bare = _model.AddParameters([6, 2]);
            Expression bound = _graph.Parameter(bare);
            Assert.That(() => attention.Attend(bare), Throws.ArgumentException);
            Assert.That(() => attention.Attend(bare, bound), Throws.ArgumentException);
            Assert.That(() => attention.Attend(bare, bound, Columns(2, 2, 0.1)), Throws.ArgumentException);
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

    /// <summary>The formula of elementary operations.</summary>
    private Expression Steps(int heads, int dim, Expression x, Expression memory, Expression? mask)
    {
        Parameter Own(string name) => _model["/multi-head-attention-builder/" + name];

        Expression q = Own("Wq") * x, k = Own("Wk") * memory, v = Own("Wv") * memory;
        int rows = dim / heads;
        Expression[] results =
        [
            .. Enumerable.Range(0, heads).Select(head =>
            {
                Expression Part(Expression of) => PickRange(of, head * rows, (head + 1) * rows);

                Expression scores = Transpose(Part(k)) * Part(q) * (1 / Math.Sqrt(rows));
                return Part(v) * Softmax(mask is { } added ? scores + added : scores);
            }),
        ];
        return Own("Wo") * Concatenate(results);
    }

    /// <summary>The same values, and the same gradients of operands and parameters.</summary>
    private void AssertSame(Expression one, Expression other, params Expression[] operands)
    {
        (float[] Value, float[][] Gradients) first = ValueAndGradients(one, operands);
        (float[] Value, float[][] Gradients) second = ValueAndGradients(other, operands);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(first.Value, Is.EqualTo(second.Value).Within(1e-6));
            for (int i = 0; i < first.Gradients.Length; i++)
                Assert.That(first.Gradients[i], Is.EqualTo(second.Gradients[i]).Within(1e-5), $"gradient {i}");
        }
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
