namespace DynNet.Native.Tests;

/// <summary>Models: what they hold, under which names, and what becomes of them.</summary>
[TestFixture]
public sealed class ModelTests
{
    [Test]
    public void A_new_model_is_empty()
    {
        using var model = new Model();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model.Path, Is.EqualTo("/"));
            Assert.That(model.Name, Is.Empty);
            Assert.That(model.Parameters, Is.Empty);
            Assert.That(model.LookupParameters, Is.Empty);
            Assert.That(model.ValueCount, Is.Zero);
            Assert.That(model.WeightDecay, Is.Zero);
        }
    }

    [Test]
    public void Holds_what_is_added_in_its_order()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([8, 2], name: "W");
        LookupParameter e = model.AddLookupParameters(5, [3], name: "E");
        Parameter b = model.AddParameters([8], name: "b");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model.Parameters, Is.EqualTo([w, b]));
            Assert.That(model.LookupParameters, Is.EqualTo([e]));
            Assert.That(model.ValueCount, Is.EqualTo(16 + 8 + 15));
        }
    }

    [Test]
    public void Its_lists_are_of_their_moment_and_the_same_until_something_is_added()
    {
        using var model = new Model();
        using Model part = model.AddSubcollection("part");
        Parameter w = model.AddParameters([2]);
        LookupParameter e = part.AddLookupParameters(2, [2]);
        IReadOnlyList<Parameter> whole = model.Parameters;
        IReadOnlyList<Parameter> below = part.Parameters;
        IReadOnlyList<LookupParameter> tables = part.LookupParameters;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model.Parameters, Is.SameAs(whole));
            Assert.That(part.Parameters, Is.SameAs(below));
            Assert.That(part.LookupParameters, Is.SameAs(tables));
        }

        Parameter v = part.AddParameters([3]);
        LookupParameter f = model.AddLookupParameters(2, [2]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(whole, Is.EqualTo([w]));
            Assert.That(below, Is.Empty);
            Assert.That(tables, Is.EqualTo([e]));
            Assert.That(model.Parameters, Is.EqualTo([w, v]));
            Assert.That(part.Parameters, Is.EqualTo([v]));
            Assert.That(model.LookupParameters, Is.EqualTo([e, f]));
            Assert.That(part.LookupParameters, Is.EqualTo([e]));
        }
    }

    [Test]
    public void Names_are_made_unique_as_in_dynet()
    {
        using var model = new Model();
        string[] names =
        [
            model.AddParameters([1]).Name,
            model.AddParameters([1]).Name,
            model.AddParameters([1], name: "W").Name,
            model.AddParameters([1], name: "W").Name,
            model.AddParameters([1], name: "W").Name,
            model.AddLookupParameters(1, [1], name: "W").Name,
            model.AddSubcollection("encoder").Path,
            model.AddSubcollection("encoder").Path,
        ];
        Assert.That(
            names, Is.EqualTo(["/_0", "/_1", "/W", "/W_1", "/W_2", "/W_3", "/encoder/", "/encoder_1/"]));
    }

    [TestCase("a/b")]
    [TestCase("a b")]
    [TestCase("a\nb")]
    public void Names_that_files_could_not_hold_are_an_error(string name)
    {
        using var model = new Model();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => model.AddParameters([1], name: name), Throws.ArgumentException);
            Assert.That(() => model.AddLookupParameters(1, [1], name: name), Throws.ArgumentException);
            Assert.That(() => model.AddSubcollection(name), Throws.ArgumentException);
        }
    }

    [Test]
    public void Names_may_be_of_any_script()
    {
        using var model = new Model();
        Assert.That(model.AddParameters([1], name: "größe_λ").Name, Is.EqualTo("/größe_λ"));
    }

    [Test]
    public void Subcollections_nest_and_belong_to_the_whole()
    {
        using var model = new Model();
        using Model encoder = model.AddSubcollection("encoder");
        using Model layer = encoder.AddSubcollection("layer");
        Parameter outer = model.AddParameters([2], name: "W");
        Parameter inner = layer.AddParameters([3], name: "W");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(layer.Path, Is.EqualTo("/encoder/layer/"));
            Assert.That(layer.Name, Is.EqualTo("layer"));
            Assert.That(inner.Name, Is.EqualTo("/encoder/layer/W"));
            Assert.That(model.Parameters, Is.EqualTo([outer, inner]));
            Assert.That(encoder.Parameters, Is.EqualTo([inner]));
            Assert.That(layer.Parameters, Is.EqualTo([inner]));
            Assert.That(encoder.ValueCount, Is.EqualTo(3));
        }
    }

    [Test]
    public void Parameters_are_found_by_their_path()
    {
        using var model = new Model();
        using Model encoder = model.AddSubcollection("encoder");
        Parameter outer = model.AddParameters([2], name: "W");
        Parameter inner = encoder.AddParameters([3], name: "W");
        LookupParameter table = encoder.AddLookupParameters(4, [3], name: "E");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model["/W"], Is.EqualTo(outer));
            Assert.That(model["W"], Is.EqualTo(outer));
            Assert.That(model["/encoder/W"], Is.EqualTo(inner));
            Assert.That(encoder["W"], Is.EqualTo(inner));
            Assert.That(encoder["/encoder/W"], Is.EqualTo(inner));
            Assert.That(model.GetLookupParameter("/encoder/E"), Is.EqualTo(table));
            Assert.That(encoder.GetLookupParameter("E"), Is.EqualTo(table));
        }
    }

    [Test]
    public void A_path_that_leads_nowhere_is_answered_with_those_that_exist()
    {
        using var model = new Model();
        model.AddParameters([2], name: "W");
        model.AddLookupParameters(2, [2], name: "E");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => model["/V"],
                Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("/V").And.Message.Contains("/W"));
            Assert.That(
                () => model.GetLookupParameter("F"),
                Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("/F").And.Message.Contains("/E"));
            Assert.That(() => model[""], Throws.ArgumentException);
            Assert.That(() => model[null!], Throws.ArgumentNullException);
        }
    }

    [Test]
    public void Impossible_shapes_are_an_error()
    {
        using var model = new Model();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => model.AddParameters(Dim.Of(2).WithBatch(3)), Throws.ArgumentException);
            Assert.That(() => model.AddLookupParameters(3, Dim.Of(2).WithBatch(3)), Throws.ArgumentException);
            Assert.That(() => model.AddLookupParameters(0, [2]), Throws.ArgumentException);
            Assert.That(() => model.AddLookupParameters(-1, [2]), Throws.ArgumentException);
            Assert.That(model.Parameters, Is.Empty);
        }
    }

    [Test]
    public void Weight_decay_shrinks_every_value_at_an_update()
    {
        using var model = new Model();
        using Model part = model.AddSubcollection();
        Parameter parameter = part.AddParameters([2], Initializer.Constant(8));
        using var trainer = new SimpleSgdTrainer(model);
        model.WeightDecay = 0.25;
        trainer.Update();
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model.WeightDecay, Is.EqualTo(0.25));
            Assert.That(part.WeightDecay, Is.EqualTo(0.25));
            Assert.That(parameter.Values.ToArray(), Is.EqualTo(new float[] { 4.5f, 4.5f }).Within(1e-6));
        }
    }

    [Test]
    public void A_sub_collection_may_have_a_weight_decay_of_its_own()
    {
        using var model = new Model();
        using Model part = model.AddSubcollection("embeddings");
        Parameter outside = model.AddParameters([1], Initializer.Constant(8));
        Parameter inside = part.AddParameters([1], Initializer.Constant(8));
        using var trainer = new SimpleSgdTrainer(model);
        model.WeightDecay = 0.25;
        part.WeightDecay = 0;
        trainer.Update();
        using (Assert.EnterMultipleScope())
        {
            Assert.That((model.WeightDecay, part.WeightDecay), Is.EqualTo((0.25, 0.0)));
            Assert.That(outside.Values[0], Is.EqualTo(6));
            Assert.That(inside.Values[0], Is.EqualTo(8));
        }
    }

    [TestCase(-0.1)]
    [TestCase(1)]
    [TestCase(double.NaN)]
    public void Weight_decay_outside_its_range_is_an_error(double lambda)
    {
        using var model = new Model();
        Assert.That(() => model.WeightDecay = lambda, Throws.ArgumentException);
    }

    [Test]
    public void Gradients_can_be_reset()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.Constant(1));
        LookupParameter e = model.AddLookupParameters(3, [2], Initializer.Constant(1));
        using var graph = new ComputationGraph();
        Ops.DotProduct(w, graph.Lookup(e, 1)).Backward();
        Assert.That(w.Gradient.ToArray(), Is.EqualTo(new float[] { 1, 1 }));
        model.ResetGradients();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(w.Gradient.ToArray(), Is.All.Zero);
            Assert.That(e.RowGradient(1), Is.All.Zero);
        }
    }

    [Test]
    public void Every_member_of_a_disposed_model_says_so()
    {
        var model = new Model();
        Parameter w = model.AddParameters([2], name: "W");
        model.Dispose();
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(() => _ = model.Parameters);
            AssertDisposed(() => _ = model.LookupParameters);
            AssertDisposed(() => _ = model.ValueCount);
            AssertDisposed(() => _ = model.WeightDecay);
            AssertDisposed(() => model.WeightDecay = 0.1);
            AssertDisposed(() => _ = model["/W"]);
            AssertDisposed(() => model.GetLookupParameter("/E"));
            AssertDisposed(() => model.AddParameters([2]));
            AssertDisposed(() => model.AddLookupParameters(2, [2]));
            AssertDisposed(() => model.AddSubcollection());
            AssertDisposed(model.ResetGradients);
            AssertDisposed(() => model.Save(new MemoryStream()));
            AssertDisposed(() => model.Populate(new MemoryStream()));
            AssertDisposed(() => new SimpleSgdTrainer(model).Dispose());
            AssertDisposed(() => new GradientSet(model).Dispose());
            AssertDisposed(() => new VanillaLstmBuilder(model, 1, 2, 3).Dispose());
            AssertDisposed(() => _ = w.Values.Length);
            Assert.That(model.Dispose, Throws.Nothing, "a second time");
        }

        static void AssertDisposed(Action use) =>
            Assert.That(
                () => use(),
                Throws.TypeOf<ObjectDisposedException>().With.Property("ObjectName").EqualTo(typeof(Model).FullName));
    }

    [Test]
    public void A_disposed_subcollection_leaves_its_parameters_to_the_whole()
    {
        using var model = new Model();
        Model part = model.AddSubcollection("part");
        Parameter w = part.AddParameters([2], Initializer.Constant(3));
        part.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => part.AddParameters([2]), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(w.Values.ToArray(), Is.All.EqualTo(3f));
            Assert.That(model.Parameters, Is.EqualTo([w]));
        }
    }

    [Test]
    public void A_subcollection_ends_with_the_whole()
    {
        var model = new Model();
        using Model part = model.AddSubcollection("part");
        model.Dispose();
        Assert.That(() => part.AddParameters([2]), Throws.TypeOf<ObjectDisposedException>());
    }
}
