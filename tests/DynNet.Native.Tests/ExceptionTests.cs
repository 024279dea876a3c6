namespace DynNet.Native.Tests;

/// <summary>The library's own exceptions.</summary>
[TestFixture]
public sealed class ExceptionTests
{
    private static readonly Type[] Types =
    [
        typeof(DynNetException), typeof(ShapeMismatchException), typeof(StaleExpressionException),
        typeof(ModelFormatException), typeof(DeviceException),
    ];

    [TestCaseSource(nameof(Types))]
    public void Has_one_base_and_the_usual_constructors(Type type)
    {
        var cause = new InvalidOperationException("cause");
        var empty = (Exception)Activator.CreateInstance(type)!;
        var said = (Exception)Activator.CreateInstance(type, "said")!;
        var caused = (Exception)Activator.CreateInstance(type, "said", cause)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(empty, Is.InstanceOf<DynNetException>());
            Assert.That(empty.Message, Is.Not.Empty);
            Assert.That(said.Message, Is.EqualTo("said"));
            Assert.That(caused.Message, Is.EqualTo("said"));
            Assert.That(caused.InnerException, Is.SameAs(cause));
        }
    }
}
