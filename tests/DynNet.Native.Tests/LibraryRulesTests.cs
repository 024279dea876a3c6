using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native.Tests;

/// <summary>Rules that hold for the library as a whole, read from its assembly.</summary>
[TestFixture]
public sealed class LibraryRulesTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static
        | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly Type[] Types = typeof(Model).Assembly.GetTypes();

    [Test]
    public void Nothing_is_marshalled() =>
        Assert.That(typeof(Model).Assembly.GetCustomAttribute<DisableRuntimeMarshallingAttribute>(), Is.Not.Null);

    [Test]
    public void Externs_are_generated_ones_only() =>
        Assert.That(
            Types.SelectMany(type => type.GetMethods(All))
                .Where(method => method.GetCustomAttribute<DllImportAttribute>() is not null)
                .Select(method => method.DeclaringType).Distinct(),
            Is.EqualTo([typeof(NativeMethods)]));

    [Test]
    public void No_public_member_shows_a_pointer()
    {
        IEnumerable<Type> shown = Types.Where(type => type.IsPublic).SelectMany(type => type.GetMembers(
            BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .SelectMany(Shown);
        Assert.That(
            shown.Where(type => type.IsPointer || type.IsFunctionPointer || type == typeof(nint)), Is.Empty);
    }

    [Test]
    public void The_one_public_type_of_the_border_is_an_expression() =>
        Assert.That(
            Types.Where(type => type.IsPublic && type.Namespace != typeof(Model).Namespace),
            Is.EqualTo([typeof(NativeExpression)]));

    [Test]
    public void Nothing_has_a_finalizer_but_handles() =>
        Assert.That(
            Types.Where(type => !typeof(SafeHandle).IsAssignableFrom(type))
                .Where(type => type.GetMethod("Finalize", All) is not null),
            Is.Empty);

    [Test]
    public void Classes_are_sealed_or_abstract_or_static() =>
        Assert.That(
            Types.Where(type => type is { IsPublic: true, IsClass: true, IsSealed: false, IsAbstract: false }),
            Is.EqualTo([typeof(DynNetException)]));

    [Test]
    public void Counts_are_named_in_the_singular()
    {
        string[] counts = [.. Types.Where(type => type.IsPublic).SelectMany(type => type.GetProperties())
            .Select(property => property.Name)
            .Where(name => name.Length > 6 && name.EndsWith("Count", StringComparison.Ordinal))];
        Assert.That(counts, Does.Contain("NodeCount").And.Contain("UpdateCount"));
        Assert.That(counts.Where(name => name[^6] == 's' && name[^7] != 's'), Is.Empty);
    }

    [Test]
    public void Externs_without_a_transition_take_no_object()
    {
        IEnumerable<MethodInfo> fast = typeof(NativeMethods).GetMethods(All)
            .Where(method => method.GetCustomAttribute<SuppressGCTransitionAttribute>() is not null);
        Assert.That(
            fast.SelectMany(method => method.GetParameters())
                .Where(parameter => parameter.ParameterType == typeof(nint)),
            Is.Empty);
    }

    private static IEnumerable<Type> Shown(MemberInfo member) => member switch
    {
        MethodBase method => method.GetParameters().Select(parameter => parameter.ParameterType)
            .Concat(method is MethodInfo info ? [info.ReturnType] : []),
        PropertyInfo property => [property.PropertyType],
        FieldInfo field => [field.FieldType],
        _ => [],
    };
}
