namespace DynNet.Native.Tests;

/// <summary>The processor as a device.</summary>
[TestFixture]
[NonParallelizable]
public sealed class DeviceTests
{
    private int _threads;

    [SetUp]
    public void RememberThreads() => _threads = Device.Cpu.Threads;

    [TearDown]
    public void RestoreThreads() => Device.Cpu.Threads = _threads;

    [Test]
    public void Says_its_instruction_set() =>
        Assert.That(Device.Cpu.Isa, Is.AnyOf("v2", "v3", "v4", "portable"));

    [Test]
    public void Has_a_sensible_number_of_threads_at_first()
    {
        if (Environment.GetEnvironmentVariable("DYNNET_THREADS") is { Length: > 0 } threads)
            Assert.Ignore($"SKIPPED: DYNNET_THREADS is {threads}.");
        Assert.That(_threads, Is.InRange(1, Environment.ProcessorCount));
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(256)]
    public void Threads_can_be_set(int threads)
    {
        Device.Cpu.Threads = threads;
        Assert.That(Device.Cpu.Threads, Is.EqualTo(threads));
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(257)]
    public void Threads_out_of_range_are_an_error(int threads)
    {
        Assert.That(() => Device.Cpu.Threads = threads, Throws.ArgumentException);
        Assert.That(Device.Cpu.Threads, Is.EqualTo(_threads));
    }
}
