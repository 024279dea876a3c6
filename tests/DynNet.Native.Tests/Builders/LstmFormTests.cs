using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Forms of the LSTM: layer normalization, noise of weights, sparse ones, and its state.</summary>
[TestFixture]
public sealed class LstmFormTests() : GraphFixture(seed: 1)
{
    [TestCase("vanilla")]
    [TestCase("sparse")]
    [TestCase("coupled gates")]
    public void Layer_normalization_has_dynets_parameters(string kind)
    {
        using Model part = _model.AddSubcollection("part");
        using LstmBuilder builder = Normalized(kind, part, 1);
        int rows = kind == "coupled gates" ? 12 : 16;
        string[] norms = [$"{{{rows}}}", $"{{{rows}}}", $"{{{rows}}}", $"{{{rows}}}", "{4}", "{4}"];
        string[] Cell(int input) => kind == "sparse"
            ? [$"{{16,{input}}}", "{16,4}", $"{{16,{input}}}", "{16,4}", "{16}"]
            : [$"{{{rows},{input}}}", $"{{{rows},4}}", $"{{{rows}}}"];
        string[] Names(string path, int first, string[] dims) =>
            [.. dims.Select((dim, i) => $"{path}_{first + i} {dim}")];
        IReadOnlyList<IReadOnlyList<Parameter>> normalization = Norms(builder);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                _model.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(
                (string[])[
                    .. Names("/part/vanilla-lstm-builder/", 0, Cell(3)), .. Names("/part/", 0, norms),
                    .. Names("/part/vanilla-lstm-builder/", Cell(3).Length, Cell(4)), .. Names("/part/", 6, norms),
                ]));
            Assert.That(normalization, Has.Count.EqualTo(2));
            foreach (IReadOnlyList<Parameter> layer in normalization)
            {
                for (int i = 0; i < 6; i++)
                    Assert.That(layer[i].Values.ToArray(), Is.All.EqualTo(i % 2 == 0 ? 1 : 0));
            }
        }
    }

    [TestCase("vanilla")]
    [TestCase("sparse")]
    [TestCase("coupled gates")]
    public void Layer_normalization_follows_the_formula(string kind)
    {
        bool sparse = kind == "sparse", coupled = kind == "coupled gates";
        using LstmBuilder builder = Normalized(kind, _model, 0.5);
        IReadOnlyList<IReadOnlyList<Parameter>> norms = Norms(builder);
        BuilderChecks.Fill(_model, parameter => !sparse || !IsMask(builder, parameter));
        Expression[] xs = Inputs();
        LstmState state = builder.InitialState(_graph);
        Expression[] c = [_graph.Constant([4], 0), _graph.Constant([4], 0)], h = [.. c];
        for (int step = 0; step < 3; step++)
        {
            state = state.AddInput(xs[step]);
            Expression x = xs[step];
            for (int layer = 0; layer < 2; layer++)
            {
                IReadOnlyList<Parameter> p = builder.Parameters[layer], n = norms[layer];
                Expression sums = Norm(p[0] * x, n[2], n[3]) + p[sparse ? 4 : 2];
                if (step > 0)
                    sums += Norm(p[1] * h[layer], n[0], n[1]);
                int first = coupled ? 0 : 4;
                Expression f = Logistic(PickRange(sums, first, first + 4) + 0.5);
                Expression i = coupled ? 1 - f : Logistic(PickRange(sums, 0, 4));
                Expression o = Logistic(PickRange(sums, first + 4, first + 8));
                Expression g = Tanh(PickRange(sums, first + 8, first + 12));
                c[layer] = CMult(f, c[layer]) + CMult(i, g);
                h[layer] = x = CMult(o, Tanh(Norm(c[layer], n[4], n[5])));
            }
        }
        BuilderChecks.AssertSame(_model, state.Output, h[1]);
        Assert.That(state.C(0).ToArray(), Is.EqualTo(c[0].ToArray()).Within(1e-5));

        // g * (x - mean) / deviation + b, the mean as a product with a row of equal numbers.
        Expression Norm(Expression x, Parameter g, Parameter b)
        {
            int n = x.Dim.Rows;
            Expression share = _graph.Constant([1, n], 1.0 / n);
            Expression mean = share * x;
            Expression deviation = Sqrt(share * Square(x - mean));
            return CMult(g, CDiv(x - mean, deviation)) + b;
        }
    }

    [Test]
    public void A_form_that_makes_no_sense_is_an_error()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => new VanillaLstmBuilder(_model, 1, 2, 1, layerNorm: true),
                Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new SparseLstmBuilder(_model, 1, 2, 1, layerNorm: true),
                Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new VanillaLstmBuilder(_model, 1, 2, 2, false, forgetBias: double.NaN),
                Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new VanillaLstmBuilder(_model, 1, 2, 1, layerNorm: true, coupledGates: true),
                Throws.TypeOf<ArgumentOutOfRangeException>());
            // More rows than an Int32 counts.
            Assert.That(
                () => new VanillaLstmBuilder(_model, 1, 2, int.MaxValue / 3 + 1, coupledGates: true),
                Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("715827883"));
            Assert.That(
                () => new CompactVanillaLstmBuilder(_model, 1, 2, int.MaxValue / 2),
                Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new SparseLstmBuilder(_model, 1, 2, int.MaxValue / 2),
                Throws.TypeOf<ArgumentOutOfRangeException>());
        }
        Assert.That(_model.Parameters, Is.Empty);
        using var usual = new VanillaLstmBuilder(_model, 1, 2, 2);
        using var normalized = new VanillaLstmBuilder(_model, 1, 2, 2, layerNorm: true);
        using var coupled = new VanillaLstmBuilder(_model, 1, 2, 2, coupledGates: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(usual.SafeHandle.IsInvalid, Is.False);
            Assert.That(() => normalized.SafeHandle, Throws.InvalidOperationException);
            Assert.That(normalized.HasLayerNorm, Is.True);
            Assert.That(usual.HasLayerNorm, Is.False);
            Assert.That(usual.NormalizationParameters, Is.Empty);
            Assert.That(() => usual.CopyFrom(normalized), Throws.ArgumentException);
            Assert.That(usual.HasCoupledGates, Is.False);
            Assert.That(coupled.HasCoupledGates, Is.True);
            Assert.That(() => coupled.SafeHandle, Throws.InvalidOperationException);
            Assert.That(() => usual.CopyFrom(coupled), Throws.ArgumentException);
        }
    }

    [TestCase("vanilla")]
    [TestCase("normalized")]
    [TestCase("coupled gates")]
    [TestCase("compact")]
    public void Weights_have_noise_of_a_deviation(string kind)
    {
        const double Deviation = 0.01;
        using LstmBuilder builder = kind switch
        {
            "vanilla" => new VanillaLstmBuilder(_model, 1, 3, 4),
            "normalized" => new VanillaLstmBuilder(_model, 1, 3, 4, layerNorm: true),
            "coupled gates" => new VanillaLstmBuilder(_model, 1, 3, 4, coupledGates: true),
            _ => new CompactVanillaLstmBuilder(_model, 1, 3, 4),
        };
        Action<double> set = builder is VanillaLstmBuilder vanilla
            ? vanilla.SetWeightNoise
            : ((CompactVanillaLstmBuilder)builder).SetWeightNoise;
        BuilderChecks.Fill(_model);
        Expression x = Inputs()[0];
        LstmState start = builder.InitialState(_graph);
        float[] without = start.AddInput(x).Output.ToArray();
        set(Deviation);
        LstmState noisy = builder.InitialState(_graph);
        float[][] outputs = [.. Enumerable.Range(0, 200).Select(_ => noisy.AddInput(x).Output.ToArray())];
        float[] startedBefore = start.AddInput(x).Output.ToArray();
        set(0);
        // The gradient with respect to the weights says how far the noise moves the first element.
        _model.ResetGradients();
        Expression again = builder.InitialState(_graph).AddInput(x).Output;
        Pick(again, 0).Backward();
        double slope = Math.Sqrt(
            builder.Parameters[0].Sum(parameter => parameter.Gradient.ToArray().Sum(value => (double)value * value)));
        double[] moved = [.. outputs.Select(output => (double)output[0] - without[0])];
        double found = Math.Sqrt(moved.Average(value => value * value));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outputs.Select(output => output[0]).Distinct().Count(), Is.GreaterThan(180), "always new");
            Assert.That(found / (Deviation * slope), Is.InRange(0.6, 1.5));
            Assert.That(startedBefore, Is.EqualTo(without));
            Assert.That(again.ToArray(), Is.EqualTo(without));
            Assert.That(() => set(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => set(double.NaN), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
        // Gradients go to the weights themselves, and dropout may come with noise.
        set(Deviation);
        builder.SetDropout(0.25);
        _model.ResetGradients();
        SumElems(builder.InitialState(_graph).AddInput(x).AddInput(x).Output).Backward();
        Assert.That(builder.Parameters[0][0].Gradient.ToArray(), Has.Some.Not.Zero);
    }

    [Test]
    public void The_least_weights_are_masked()
    {
        using var builder = new SparseLstmBuilder(_model, 2, 3, 4);
        BuilderChecks.Fill(_model, parameter => !IsMask(builder, parameter));
        Parameter[] weights = [.. builder.Parameters.SelectMany(p => new[] { p[0], p[1] })];
        Parameter[] masks = [.. builder.Parameters.SelectMany(p => new[] { p[2], p[3] })];
        float[] before = [.. weights.SelectMany(weight => weight.Values.ToArray())];
        builder.SetSparsity(0.3);
        float[] mask = [.. masks.SelectMany(each => each.Values.ToArray())];
        int count = (int)(0.3 * before.Length);
        double largestMasked = before.Where((_, i) => mask[i] == 0).Max(Math.Abs);
        double smallestKept = before.Where((_, i) => mask[i] == 1).Min(Math.Abs);

        Expression[] xs = Inputs();
        LstmState state = builder.InitialState(_graph);
        foreach (Expression x in xs)
            state = state.AddInput(x);
        SumElems(state.Output).Backward();
        float[] gradients = [.. weights.SelectMany(weight => weight.Gradient.ToArray())];
        using var model = new Model();
        using var vanilla = new VanillaLstmBuilder(model, 2, 3, 4);
        for (int layer = 0; layer < 2; layer++)
        {
            IReadOnlyList<Parameter> p = builder.Parameters[layer];
            vanilla.Parameters[layer][0].SetValues(Product(p[0], p[2]));
            vanilla.Parameters[layer][1].SetValues(Product(p[1], p[3]));
            vanilla.Parameters[layer][2].SetValues(p[4].Values);
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(mask.Count(value => value == 0), Is.EqualTo(count));
            Assert.That(mask.Count(value => value == 1), Is.EqualTo(before.Length - count));
            Assert.That(largestMasked, Is.LessThanOrEqualTo(smallestKept));
            Assert.That(weights.SelectMany(weight => weight.Values.ToArray()), Is.EqualTo(before), "weights stay");
            Assert.That(gradients.Where((_, i) => mask[i] == 0), Is.All.Zero);
            Assert.That(gradients.Where((_, i) => mask[i] == 1), Has.Some.Not.Zero);
            Assert.That(masks.SelectMany(each => each.Gradient.ToArray()), Is.All.Zero);
            Assert.That(
                state.Output.ToArray(),
                Is.EqualTo(vanilla.InitialState(_graph).Transduce(xs)[^1].ToArray()).Within(1e-6));
        }
        builder.SetSparsity(0.6);
        float[] more = [.. masks.SelectMany(each => each.Values.ToArray())];
        builder.SetSparsity(0);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(more.Count(value => value == 0), Is.EqualTo((int)(0.6 * before.Length)));
            Assert.That(more.Where((_, i) => mask[i] == 0), Is.All.Zero, "what was masked stays so");
            Assert.That(masks.SelectMany(each => each.Values.ToArray()), Is.All.EqualTo(1));
            Assert.That(() => builder.SetSparsity(1.1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => builder.SetSparsity(double.NaN), Throws.TypeOf<ArgumentOutOfRangeException>());
        }

        static float[] Product(Parameter weight, Parameter mask) =>
            [.. weight.Values.ToArray().Zip(mask.Values.ToArray(), (value, keep) => value * keep)];
    }

    [Test]
    public void Coupled_gates_drop_inputs_and_what_recurs()
    {
        using var builder = new VanillaLstmBuilder(_model, 1, 3, 4, coupledGates: true);
        BuilderChecks.Fill(_model);
        IReadOnlyList<Parameter> p = builder.Parameters[0];
        Expression[] xs = Inputs();
        builder.SetDropout(0.5);
        LstmState first = builder.InitialState(_graph).AddInput(xs[0]), last = first.AddInput(xs[1]).AddInput(xs[2]);
        // Masks that give what the first step gives, then such that give the rest.
        Expression zeros = _graph.Constant([4], 0);
        Expression inputMask = BuilderChecks.Masks(_graph, 3).First(mask => Same(first.Output, Steps(mask, zeros, 1)));
        Expression hiddenMask = BuilderChecks.Masks(_graph, 4)
            .First(mask => Same(last.Output, Steps(inputMask, mask, 3)));
        BuilderChecks.AssertSame(_model, last.Output, Steps(inputMask, hiddenMask, 3));

        Expression Steps(Expression maskX, Expression maskH, int count)
        {
            Expression h = zeros, c = zeros;
            foreach (Expression x in xs.AsSpan(0, count))
            {
                Expression sums = p[0] * CMult(x, maskX) + p[1] * CMult(h, maskH) + p[2];
                (h, c) = RnnCase.CoupledVanilla(sums, c, 1);
            }
            return h;
        }

        static bool Same(Expression left, Expression right) =>
            left.ToArray().Zip(right.ToArray(), (a, b) => Math.Abs(a - b)).Max() < 1e-6;
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Gates_look_at_the_memory_through_peepholes(bool peepholes)
    {
        using var builder = new FastLstmBuilder(_model, 1, 3, 4, peepholes);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        SumElems(builder.InitialState(_graph).Transduce(xs)[^1]).Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.HasPeepholes, Is.EqualTo(peepholes));
            // Wci and Wco.
            foreach (int looks in (int[])[2, 6])
            {
                bool isUsed = builder.Parameters[0][looks].GradientToArray().Any(g => g != 0);
                Assert.That(isUsed, Is.EqualTo(peepholes), $"{looks}");
            }
            Assert.That(builder.Parameters[0][0].GradientToArray(), Has.Some.Not.Zero);
        }
    }

    [Test]
    public void A_forget_bias_is_added_to_the_trained_one()
    {
        using var usual = new VanillaLstmBuilder(_model, 1, 3, 4);
        using var biased = new VanillaLstmBuilder(_model, 1, 3, 4, forgetBias: 2.5);
        using var sparse = new SparseLstmBuilder(_model, 1, 3, 4, forgetBias: 2.5);
        BuilderChecks.Fill(_model, parameter => usual.Parameters[0].Contains(parameter));
        Parameter[] from = [.. usual.Parameters[0]];
        SetValues(biased.Parameters[0]);
        // Those between are the masks.
        SetValues([sparse.Parameters[0][0], sparse.Parameters[0][1], sparse.Parameters[0][4]]);
        float[] b = from[2].ToArray();
        for (int f = 4; f < 8; f++)
            b[f] += 1.5f;
        from[2].SetValues(b);
        Expression[] xs = Inputs();
        float[] expected = usual.InitialState(_graph).Transduce(xs)[^1].ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(usual.ForgetBias, Is.EqualTo(1));
            Assert.That(biased.ForgetBias, Is.EqualTo(2.5));
            Assert.That(sparse.ForgetBias, Is.EqualTo(2.5));
            Assert.That(
                biased.InitialState(_graph).Transduce(xs)[^1].ToArray(), Is.EqualTo(expected).Within(1e-6f));
            Assert.That(
                sparse.InitialState(_graph).Transduce(xs)[^1].ToArray(), Is.EqualTo(expected).Within(1e-6f));
        }

        void SetValues(IReadOnlyList<Parameter> to)
        {
            for (int i = 0; i < from.Length; i++)
                to[i].SetValues(from[i].ToArray());
        }
    }

    [Test]
    public void A_memory_that_gates_look_at_is_masked()
    {
        using var builder = new CoupledLstmBuilder(_model, 1, 3, 4);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        float[] without = builder.InitialState(_graph).Transduce(xs)[^1].ToArray();
        builder.SetDropout(0, 0, 0.5);
        LstmState first = builder.InitialState(_graph).AddInput(xs[0]);
        // What goes into c is whole at the first input; only o looks at it.
        float[] c = first.C(0).ToArray();
        builder.DisableDropout();
        float[] wholeC = builder.InitialState(_graph).AddInput(xs[0]).C(0).ToArray();
        builder.SetDropout(0, 0, 0.5);
        bool differs = Enumerable.Range(0, 8)
            .Any(_ => !builder.InitialState(_graph).Transduce(xs)[^1].ToArray().SequenceEqual(without));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(c, Is.EqualTo(wholeC));
            Assert.That(differs, Is.True);
            Assert.That(builder.MemoryDropout, Is.EqualTo(0.5));
            Assert.That(builder.InputDropout, Is.Zero);
            Assert.That(() => builder.SetDropout(0, 0, 1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => builder.SetDropout(0, 1, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }

    [Test]
    public void What_goes_into_the_next_memory_is_whole()
    {
        using var builder = new CoupledLstmBuilder(_model, 1, 3, 4);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        builder.SetDropout(0, 0, 0.5);
        LstmState state = builder.InitialState(_graph);
        foreach (Expression x in xs)
            state = state.AddInput(x);
        Expression[] p = [.. builder.Parameters[0].Select(parameter => _graph.Parameter(parameter))];
        Assert.That(BuilderChecks.Masks(_graph, 4).Any(Fits), Is.True, "one mask for all steps, where gates look");
        builder.SetDropout(0.5);
        builder.SetDropout(0, 0);
        Assert.That(
            Enumerable.Range(0, 8).Select(_ => builder.InitialState(_graph).Transduce(xs)[^1].ToArray()),
            Has.All.EqualTo(builder.InitialState(_graph).Transduce(xs)[^1].ToArray()), "two rates: no masks of memory");

        bool Fits(Expression mask)
        {
            Expression c = _graph.Zeros([4]), h = c;
            foreach (Expression x in xs)
            {
                Expression i = Logistic(p[0] * x + p[1] * h + p[2] * CMult(c, mask) + p[3]);
                c = CMult(i, Tanh(p[8] * x + p[9] * h + p[10])) + CMult(1 - i, c);
                h = CMult(Logistic(p[4] * x + p[5] * h + p[6] * CMult(c, mask) + p[7]), Tanh(c));
            }
            return Same(state.C(0), c) && Same(state.Output, h);
        }

        static bool Same(Expression left, Expression right) =>
            left.ToArray().Zip(right.ToArray(), (a, b) => Math.Abs(a - b)).Max() < 1e-6;
    }

    [Test]
    public void A_share_is_of_the_decimal_number()
    {
        using var builder = new SparseLstmBuilder(_model, 1, 5, 5);
        Parameter[] masks = [builder.Parameters[0][2], builder.Parameters[0][3]];
        // 0.29 of 200 is 58; of the double, it is a little less.
        builder.SetSparsity(0.29);
        _model.SetUpdated(true);
        Assert.That(masks.Sum(mask => mask.Values.ToArray().Count(value => value == 0)), Is.EqualTo(58));
        Assert.That(masks, Has.All.Property(nameof(Parameter.IsUpdated)).True);
        builder.SetSparsity(0.5);
        Assert.That(masks, Has.All.Property(nameof(Parameter.IsUpdated)).False);
    }

    [Test]
    public void An_lstm_state_is_a_state_of_any_builder()
    {
        using var builder = new VanillaLstmBuilder(_model, 2, 3, 4);
        LstmState state = builder.InitialState(_graph).AddInput(Inputs()[0]);
        RnnState general = state;
        Expression[] values = [.. Enumerable.Range(1, 4).Select(i => _graph.Input([i, 1, 2, 3]))];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(general.S(0), Is.EqualTo(state.C(0)));
            Assert.That(general.S(3), Is.EqualTo(state.H(1)));
            Assert.That(state.S(1), Is.EqualTo(state.C(1)));
            Assert.That(state.SetH(values.AsSpan(0, 2)).H(1), Is.EqualTo(values[1]));
            Assert.That(state.SetH(values.AsSpan(0, 2)).C(1), Is.EqualTo(state.C(1)));
            Assert.That(state.SetS(values).C(1), Is.EqualTo(values[1]));
            Assert.That(state.SetS(values).Output, Is.EqualTo(values[3]));
        }
    }

    private static LstmBuilder Normalized(string kind, Model model, double forgetBias) => kind == "sparse"
        ? new SparseLstmBuilder(model, 2, 3, 4, layerNorm: true, forgetBias)
        : new VanillaLstmBuilder(
            model, 2, 3, 4, layerNorm: true, forgetBias, coupledGates: kind == "coupled gates");

    private static IReadOnlyList<IReadOnlyList<Parameter>> Norms(LstmBuilder builder) =>
        builder is SparseLstmBuilder sparse
            ? sparse.NormalizationParameters
            : ((VanillaLstmBuilder)builder).NormalizationParameters;

    private static bool IsMask(LstmBuilder builder, Parameter parameter) =>
        builder.Parameters.Any(layer => parameter.Equals(layer[2]) || parameter.Equals(layer[3]));

    private Expression[] Inputs() =>
        [_graph.Input([1, -2, 0.5f]), _graph.Input([0.3f, 0.1f, -0.7f]), _graph.Input([-1, 0.25f, 2])];
}
