namespace DynNet.Native.Tests;

/// <summary>What the tests of model files share.</summary>
internal static class ModelFiles
{
    internal static Model Make(long seed = 1)
    {
        var model = new Model(seed);
        model.AddParameters([3, 2], name: "W");
        using Model encoder = model.AddSubcollection("encoder");
        encoder.AddParameters([3], name: "b");
        encoder.AddLookupParameters(4, [2, 2], name: "E");
        model.AddParameters([2, 1, 2]);
        return model;
    }

    internal static void AssertSame(Model actual, Model expected)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                actual.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(expected.Parameters.Select(parameter => parameter.ToString())));
            Assert.That(
                actual.LookupParameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(expected.LookupParameters.Select(parameter => parameter.ToString())));
            foreach (Parameter parameter in expected.Parameters)
                Assert.That(actual[parameter.Name].Values.ToArray(), Is.EqualTo(parameter.Values.ToArray()));
            foreach (LookupParameter table in expected.LookupParameters)
                Assert.That(actual.GetLookupParameter(table.Name).Values.ToArray(), Is.EqualTo(table.Values.ToArray()));
        }
    }

    internal static void AssertUntouched(Model model) =>
        Assert.That(model.Parameters.SelectMany(parameter => parameter.Values.ToArray()), Is.All.EqualTo(5f));
}
